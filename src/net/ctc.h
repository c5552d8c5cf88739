/* Connectionist temporal classification of one sequence: loss, gradient, decoding. (Graves, Fernandez, Gomez
 * and Schmidhuber 2006, "Connectionist temporal classification: labelling unsegmented sequence data with
 * recurrent neural networks", sections 3 and 4; Hannun, Maas, Jurafsky and Ng 2014, "First-pass large
 * vocabulary continuous speech recognition using bi-directional recurrent DNNs", algorithm 1.)
 *
 * A path names a class or the blank in each frame; it reduces to labels by merging repeats and then leaving
 * blanks out. C classes, numbered from 0, and the blank, which is class C; T frames, U labels.
 *
 * Everything works on the rows of one sequence alone, in one order, and gives the same bits everywhere.
 * Nothing is allocated: scratch comes from the caller, aligned to 64 bytes, as many bytes as the function
 * beside tells; it keeps nothing from call to call. */
#ifndef NET_CTC_H
#define NET_CTC_H

#include "kernel/kernel.h"

#include <stddef.h>
#include <stdint.h>

/* The frames of one sequence among rows of C + 1 floats: frame t is row first[t] + b. For row b of a
 * microbatch `first` is the microbatch's, and T is length[b]. */
struct ctc_frames {
    size_t T; /* at least 1 */
    struct rows rows;
    const size_t *first; /* [T] */
    size_t b;
};

/* Returns how many frames a path through these labels takes at least: U, and a blank between equal
 * neighbours. */
size_t ctc_frames_needed(const int32_t *labels, size_t U);

/* Returns -ln p(labels | frames) in nats, at least 0. The frames are logits, and become probabilities
 * (softmax), as the kernel gives them; the loss is computed from the logits, so that a probability too small
 * for a float counts in full. T must be at least ctc_frames_needed and labels be in 0 .. C-1 (assert); U may
 * be 0. With `posterior`, a matrix like that of the frames and with the same stride, its rows of this
 * sequence become the posterior probability of each class in each frame, given the labels, and zero up to the
 * stride. Loss and posterior are NaN where a row has no finite sum. */
double ctc_forward(const struct kernel *kernel, size_t C, const struct ctc_frames *frames,
    const int32_t *labels, size_t U, float *posterior, void *scratch);
size_t ctc_forward_bytes(size_t C, size_t T, size_t U, int with_posterior);

/* Makes probabilities of the logits where there are no labels. */
void ctc_softmax(const struct kernel *kernel, size_t C, const struct ctc_frames *frames);

/* Makes of the probabilities that ctc_forward left, in place, the gradient of its loss by the logits: softmax
 * minus posterior, and zero from C + 1 up to the stride. */
void ctc_backward(size_t C, const struct ctc_frames *frames, const float *posterior);

/* Both searches take probabilities, write at most T labels and return how many.
 *
 * The best path is the likeliest class of each frame, the first among equals, reduced. */
size_t ctc_decode_best_path(size_t C, const struct ctc_frames *frames, int32_t *labels);

/* A prefix beam search without language model: the `beam` (at least 1) likeliest prefixes are kept after each
 * frame, what the others were worth is lost; the likeliest at the end is the result. Among equally likely
 * ones those grown from a likelier prefix come first, then the prefix itself before its extensions, then the
 * extension by the smaller class. A probability that a float cannot hold, and NaN, count as 2^-150. */
size_t ctc_decode_beam(
    size_t C, const struct ctc_frames *frames, size_t beam, int32_t *labels, void *scratch);
size_t ctc_decode_beam_bytes(size_t C, size_t T, size_t beam);

/* Where frame t begins, in floats, among these rows or others of their stride. */
static inline size_t ctc_place(const struct ctc_frames *frames, size_t t)
{
    return (frames->first[t] + frames->b) * frames->rows.stride;
}

static inline float *ctc_row(const struct ctc_frames *frames, size_t t)
{
    return frames->rows.data + ctc_place(frames, t);
}

#endif
