/* A problem's sequences as a dataset file. */
#ifndef TESTS_REFERENCE_PROBLEM_FILE_H
#define TESTS_REFERENCE_PROBLEM_FILE_H

#include "h5/h5.h"
#include "problem.h"

/* Adds the sets of the dataset format. Failures come out when the image is finished. */
void problem_add_dataset(struct h5_image *image, const struct problem *problem);

/* Finishes the image and writes it; failing ends the program. */
void problem_save_image(struct h5_image *image, const char *path);

#endif
