#include "pass/names.h"

#include "base/log.h"
#include "data/names.h"

static int check(const struct net_names *network, struct dataset *dataset, const struct net_names *names,
    struct error *error)
{
    char warning[1024];
    if (net_names_compare(network, names, dataset->name, error))
        return -1;
    net_names_describe_missing(network, names, dataset->name, warning, sizeof warning);
    if (*warning)
        log_line(LOG_WARNING, "%s", warning);
    return 0;
}

int names_check(const struct net_names *network, struct dataset *dataset, struct error *error)
{
    struct net_names names = {0};
    int failed = dataset_read_names(dataset, &names, error) || check(network, dataset, &names, error);
    net_names_finish(&names);
    return failed ? -1 : 0;
}

int names_check_inputs(const struct net_names *network, struct dataset *dataset, struct error *error)
{
    struct net_names names = {0}, of_inputs, inputs = net_names_of_inputs(network);
    int failed = dataset_read_names(dataset, &names, error);
    of_inputs = net_names_of_inputs(&names);
    failed = failed || check(&inputs, dataset, &of_inputs, error);
    net_names_finish(&names);
    return failed ? -1 : 0;
}
