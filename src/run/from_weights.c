#include "run/from_weights.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

/* Says of a checkpoint that does not fit whether it would with a new head. */
static void advise(const struct train_options *options, const struct net *net, struct checkpoint *checkpoint,
    struct error *error)
{
    unsigned char *head = net_find_head(net, NULL);
    size_t n = strlen(error->text);
    if (head && checkpoint_take_body(checkpoint, options->init, net, head, NULL) == 0)
        snprintf(error->text + n, sizeof error->text - n,
            ", of which all but the head fits: give --new-head too to begin with a fresh one");
    memory_destroy(head);
}

int from_weights_find_head(
    const struct train_options *options, const struct net *net, unsigned char **head, struct error *error)
{
    *head = options->new_head ? net_find_head(net, error) : NULL;
    return options->new_head && !*head ? -1 : 0;
}

int from_weights_read(const struct train_options *options, const struct net *net, const unsigned char *head,
    struct checkpoint *checkpoint, struct error *error)
{
    if (checkpoint_read(options->init, CHECKPOINT_ANY, checkpoint, error))
        return -1;
    if (options->new_head)
        return checkpoint_take_body(checkpoint, options->init, net, head, error);
    if (checkpoint_fits(checkpoint, options->init, net, error) == 0)
        return 0;
    advise(options, net, checkpoint, error);
    return -1;
}

void from_weights_warn_names(
    const struct train_options *options, const struct named_set *set, const struct checkpoint *checkpoint)
{
    struct error why;
    struct net_names names = checkpoint->names;
    if (options->new_head)
        names = net_names_of_inputs(&names);
    if (net_names_compare(&names, set->names, set->path, &why))
        log_line(LOG_WARNING, "%s: was trained on other names: %s", options->init, why.text);
}

size_t from_weights_list(
    const struct net *net, const unsigned char *head, int frozen, char text[static FROM_WEIGHTS_NAMES])
{
    size_t tensors, n = 0, used = 0;
    const struct parameter *tensor = net_get_parameters(net, &tensors);
    text[0] = '\0';
    for (size_t i = 0; i < tensors; i++) {
        if (!head[i] || (frozen && !tensor[i].frozen))
            continue;
        if (used < FROM_WEIGHTS_NAMES)
            used += (size_t)snprintf(
                text + used, FROM_WEIGHTS_NAMES - used, "%s%s", n ? ", " : "", tensor[i].name);
        n++;
    }
    return n;
}

int from_weights_describe_frozen(
    const struct net *net, const unsigned char *head, char text[static FROM_WEIGHTS_WARNING])
{
    char names[FROM_WEIGHTS_NAMES];
    size_t n = from_weights_list(net, head, 1, names);
    if (n == 0)
        return 0;
    snprintf(text, FROM_WEIGHTS_WARNING,
        "train.freeze: %s: %s afresh with --new-head and %s never learned: leave %s out, unless random "
        "weights are meant",
        names, n == 1 ? "begins" : "begin", n == 1 ? "is" : "are", n == 1 ? "it" : "them");
    return 1;
}
