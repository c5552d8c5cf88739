/* A checkpoint beside a net: are these its parameters, and how large would its checkpoint be? */
#include "ckpt/fits.h"

#include <stdio.h>
#include <string.h>

static void describe(const struct parameter *p, char *text, size_t size)
{
    if (p->dimensions == 1)
        snprintf(text, size, "[%zu]", p->size[0]);
    else
        snprintf(text, size, "[%zu, %zu]", p->size[0], p->size[1]);
}

static int is_named_alike(const struct parameter *p, const struct parameter *q)
{
    return p && q && strcmp(p->name, q->name) == 0;
}

int parameter_is_same(const struct parameter *has, const struct parameter *wants)
{
    return is_named_alike(has, wants) && has->dimensions == wants->dimensions &&
        has->size[0] == wants->size[0] && (has->dimensions == 1 || has->size[1] == wants->size[1]);
}

int parameter_refuse(const struct parameter *has, const struct parameter *wants, const char *none,
    const char *path, const char *advice, struct error *error)
{
    char shape[64], wanted[64];
    if (!is_named_alike(has, wants))
        return error_set(error, EXIT_CODE_DATA, "%s: has %s where the model has %s: %s", path,
            has ? has->name : none, wants ? wants->name : none, advice);
    describe(has, shape, sizeof shape);
    describe(wants, wanted, sizeof wanted);
    return error_set(error, EXIT_CODE_DATA, "%s: %s is %s where the model has %s: %s", path, has->name, shape,
        wanted, advice);
}

int checkpoint_match_model(
    const struct net_config *has, const struct net_config *wants, const char *path, struct error *error)
{
    if (has->cell != wants->cell)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has model.cell = %s where the configuration has %s: set model.cell = %s", path,
            cell_names[has->cell], cell_names[wants->cell], cell_names[has->cell]);
    if (has->symbols != wants->symbols)
        return error_set(error, EXIT_CODE_DATA,
            "%s: takes %s where the training set has %s: give data of the inputs that the network knows",
            path, has->symbols ? "symbols" : "features", wants->symbols ? "symbols" : "features");
    if (has->residual != wants->residual)
        return error_set(error, EXIT_CODE_DATA,
            "%s: has model.residual = %s where the configuration has %s: set model.residual = %s", path,
            has->residual ? "yes" : "no", wants->residual ? "yes" : "no", has->residual ? "yes" : "no");
    return 0;
}

int checkpoint_match(const struct checkpoint *checkpoint, const char *path, const struct parameter *want,
    size_t n, struct error *error)
{
    for (size_t i = 0; i < n || i < checkpoint->parameters; i++) {
        const struct parameter *p = i < checkpoint->parameters ? &checkpoint->parameter[i] : NULL;
        const struct parameter *q = i < n ? &want[i] : NULL;
        if (!parameter_is_same(p, q) || p->offset != q->offset)
            return parameter_refuse(
                p, q, "no more parameters", path, "the checkpoint is of another model", error);
    }
    return 0;
}

int checkpoint_fits(
    const struct checkpoint *checkpoint, const char *path, const struct net *net, struct error *error)
{
    size_t n;
    const struct parameter *want = net_get_parameters(net, &n);
    return checkpoint_match_model(&checkpoint->model, net_get_config(net), path, error) ||
            checkpoint_match(checkpoint, path, want, n, error)
        ? -1
        : 0;
}

/* What HDF5 adds, as measured: header and place in its group of each set, the groups, texts and attributes
 * that every checkpoint has, the attribute of each class weight and quantile with its place in the
 * configuration; and the curve of gradient flow of each direction, over a thousand steps. */
enum { SET_BYTES = 340, OFFSET_BYTES = 64, FIXED_BYTES = 29 << 10, NUMBER_BYTES = 100, CURVE_BYTES = 80 };

size_t checkpoint_estimate(const struct net *net, enum optimizer optimizer)
{
    size_t n, copies = 1 + optim_count_moments(optimizer);
    net_get_parameters(net, &n);
    size_t curves = flow_count_directions(net_get_config(net)) * CURVE_BYTES;
    return copies * (net_count_parameters(net) * sizeof(float) + n * SET_BYTES) + n * OFFSET_BYTES +
        (net_get_config(net)->class_weights + net_get_config(net)->quantiles) * NUMBER_BYTES + curves +
        FIXED_BYTES;
}

/* The image grows by whole MiB, a set at a time is read back from it, and HDF5 has an index of what it holds,
 * something for each set, which stays open while the image is checked, and code that nothing else uses. */
size_t checkpoint_estimate_memory(const struct net *net, enum optimizer optimizer)
{
    enum { GROWTH = 1 << 20, HDF5_BYTES = 760 << 10, OPEN_SET_BYTES = 20 << 10 };
    size_t n, largest = 0, image = checkpoint_estimate(net, optimizer);
    const struct parameter *parameter = net_get_parameters(net, &n);
    for (size_t i = 0; i < n; i++)
        if (parameter[i].count > largest)
            largest = parameter[i].count;
    size_t sets = n * (1 + optim_count_moments(optimizer));
    return (image + GROWTH - 1) / GROWTH * GROWTH + largest * sizeof(float) + HDF5_BYTES +
        sets * OPEN_SET_BYTES;
}
