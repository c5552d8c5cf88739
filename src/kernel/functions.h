/* The functions of the kernel: FUNCTION(result, name, parameters). This list makes the members of struct
 * kernel, the prototypes of each build and its table; beside it a function is its code in a file of this
 * folder and its plain twin in plain.c. Cells have a list of their own, kernel/cells/list.h. */

/* B[k][c] = W[row[k] + column[c]], 0 where either index is negative, in the columns of B that are asked for.
 */
FUNCTION(void, pack, (struct panels * B, const float *W, const int64_t *row, const int64_t *column))

/* C[m][c] = start[m][c] + sum over k of A[m][k] B[k][c], for m < M and the columns of B that are asked for,
 * whose bits do not depend on which others are. start may be C (adding to it), have a stride of 0 (the same
 * row for all: a bias), or none (zero). */
FUNCTION(void, product, (const struct panels *B, size_t M, struct rows A, struct rows start, struct rows C))

/* Weight gradients over N frames: for each of the products, C[m][c] += sum over n of A[n][m] X[n][c], m < M,
 * a multiple of 16; and sums[m] += sum over n of A[n][m]. scratch: outer_floats of the caller. */
FUNCTION(void, outer,
    (size_t N, size_t M, struct rows A, const struct outer_product *products, size_t n_products, float *sums,
        float *scratch))

/* out[i][j] = sum over c < width of x(i)[c] y(j)[c], in 16 lanes with fused multiply-adds. */
FUNCTION(void, dots, (size_t width, struct picked x, struct picked y, struct rows out))

/* The sums of rows with weights that struct mixture describes, each added in the order of the rows. */
FUNCTION(void, mix, (const struct mixture *mixture))

/* out[i][j] = sum over c < width of energy[c] tanh(q(i)[c] + k(j)[c]), in 16 lanes with fused multiply-adds;
 * and its gradient. */
FUNCTION(
    void, additive, (size_t width, const float *energy, struct picked q, struct picked k, struct rows out))
FUNCTION(void, additive_backward, (const struct additive_gradient *gradient))

/* Each replaces x[0 .. n-1], n any. NaN stays NaN, infinities saturate, and no result leaves the function's
 * range. Errors are in units in the last place of the right value (2^-149 among denormals) and are the
 * largest over all floats of the range.
 *
 * tanh: the error is 2.57 everywhere. It is odd to the bit. It is x itself up to |x| = 2^-25 and -1 or 1 from
 * |x| = 9.011 on, which are the nearest floats. It rises, but for errors in the last places.
 *
 * sigmoid: the error is 2.49 from -88.72283 up, denormal results among them; below that it is 0, where the
 * right value is under 2^-128. It is 0.5 up to |x| = 2^-24 and 1 from 17.329 on, which are the nearest
 * floats. It never falls.
 *
 * exp: the error is 1.05 from -87 to 88; below that it is 0, where the right value is under 2^-125; above, it
 * is infinity, though the right value is finite up to 88.72. It is 1 up to |x| = 2^-25, which is the nearest
 * float. It never falls. */
FUNCTION(void, tanh_array, (size_t n, float *x))
FUNCTION(void, sigmoid_array, (size_t n, float *x))
FUNCTION(void, exp_array, (size_t n, float *x))

/* Opens rows of n, a multiple of 16, by gates: s = sigmoid(s), out = s . y. And back, from the gradient dy by
 * out: s becomes the gradient by what s was before the first, dy its share of the gradient by y. */
FUNCTION(void, gate, (size_t n, float *s, const float *y, float *out))
FUNCTION(void, gate_backward, (size_t n, float *s, const float *y, float *dy))

/* Makes probabilities of a row of n logits, n at least 1, and returns the sum of exp(x - *largest), which is
 * NaN where an element is. */
FUNCTION(float, softmax, (size_t n, float *x, float *largest))

/* Writes columns first .. first + columns - 1 of H(0) H(1) ... H(n - 1) into Q [n][columns], zeroes where
 * they are beyond n. columns is a multiple of 16. Columns never meet: their bits do not depend on what goes
 * with them. Sums go over rows from the first on, each product rounded before it is added. */
FUNCTION(void, reflect, (const struct reflections *all, size_t first, size_t columns, double *Q))

/* out[i] = random_uniform of number first + i of the sequence that the key names, i < n. */
FUNCTION(void, uniforms, (const struct random_key *key, uint64_t first, size_t n, double *out))

/* Runs rounds of multiply-adds in registers that are independent of each other: the most that this build can
 * do on the core at hand. Returns how many floating-point operations they were, 2 per multiply-add. out
 * [KERNEL_BLOCK] keeps a compiler from leaving them out. */
FUNCTION(double, burst, (size_t rounds, float *out))
