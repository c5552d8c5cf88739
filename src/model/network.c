#include "model/network.h"

#include "base/memory.h"
#include "config/keys.h"

#include <stdio.h>
#include <string.h>

/* Two configurations of which a key is compared by its text, which is equal where values are. */
struct key_texts {
    struct config config;
    char *one, *other; /* [CONFIG_VALUE_MOST] */
};

static void write_key(
    struct key_texts *texts, const struct config_key *key, const struct net_config *network, char *text)
{
    texts->config.model = *network;
    key_write(key, &texts->config, text, CONFIG_VALUE_MOST);
}

static int compare_keys(struct key_texts *texts, const struct net_config *one, const struct net_config *other,
    char what[NETWORK_DIFFERENCE])
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        if (!key_is_of_network(key) || key->learning)
            continue;
        write_key(texts, key, one, texts->one);
        write_key(texts, key, other, texts->other);
        if (strcmp(texts->one, texts->other) != 0) {
            snprintf(what, NETWORK_DIFFERENCE, "another %s.%s (%.60s, not %.60s)", key->section, key->name,
                texts->other, texts->one);
            return 1;
        }
    }
    return 0;
}

int network_compare(const struct net_config *one, const struct net_config *other,
    char what[NETWORK_DIFFERENCE], struct error *error)
{
    struct key_texts texts = {.one = memory_create(2, CONFIG_VALUE_MOST, error)};
    if (!texts.one)
        return -1;
    texts.other = texts.one + CONFIG_VALUE_MOST;
    config_init(&texts.config);
    int differs = compare_keys(&texts, one, other, what);
    config_finish(&texts.config);
    memory_destroy(texts.one);
    if (differs)
        return 1;
    differs = one->symbols != other->symbols || one->inputs != other->inputs;
    if (differs)
        snprintf(what, NETWORK_DIFFERENCE, "other inputs (%zu, not %zu)", other->inputs, one->inputs);
    else if ((differs = one->outputs != other->outputs || one->target_length != other->target_length) != 0)
        snprintf(what, NETWORK_DIFFERENCE, "other outputs (%zu, not %zu)", other->outputs, one->outputs);
    return differs;
}
