/* The objects of Kaldi archives that become sequences or targets: matrices, plain and compressed, and vectors
 * of integers, in binary and in text. The layout is that of Kaldi's matrix/kaldi-matrix.cc,
 * matrix/compressed-matrix.h and util/kaldi-holder-inl.h. */
#ifndef DATA_IMPORT_KALDI_OBJECT_H
#define DATA_IMPORT_KALDI_OBJECT_H

#include "data/import/bounded.h"

/* Zeroes are an object of no rows; read anew, its memory is used again. */
struct kaldi_object {
    size_t rows, columns; /* of a matrix; a vector of integers has `rows` of them and no columns */
    float *values;        /* [rows][columns] */
    int32_t *integers;    /* [rows] */
    size_t value_room, integer_room;
};

/* Read the object at which the file stands, behind its key and the blank. The errors name file, key and byte:
 * another object than was asked for, one that the file has no room for, a text that holds no number. */
int kaldi_read_matrix(
    struct bounded_file *file, const char *key, struct kaldi_object *object, struct error *error);
int kaldi_read_integers(
    struct bounded_file *file, const char *key, struct kaldi_object *object, struct error *error);
void kaldi_object_finish(struct kaldi_object *object);

#endif
