/* The keys of the configuration: one table that drives defaults, parsing, messages, writing and comparing.
 *
 * A new key is one row in keys.c (and a member of struct config or net_config, and a paragraph in
 * man/rnn-train.1). A key whose member stands in net_config is also an attribute of /model in checkpoints,
 * and a new one raises their format (ckpt/layout.h): its `since` is the new number. */
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config/config.h"

#include <stddef.h>

enum key_type {
    KEY_PATHS,    /* char **, absolute, the last is NULL (config/path_list.h); NULL where empty */
    KEY_SWITCH,   /* int: yes or no */
    KEY_SWITCHES, /* int [NET_MOST_LAYERS]: one, or one per layer */
    KEY_CHOICE,   /* an enum */
    KEY_COUNT,    /* int64_t */
    KEY_SIZE,     /* size_t */
    KEY_SIZES,    /* size_t [NET_MOST_LAYERS]: one, or one per layer */
    KEY_WIDTHS,   /* size_t [NET_MOST_LAYERS], as many as `length` says, also none */
    KEY_WEIGHTS,  /* double [NET_MOST_CLASS_WEIGHTS], the same */
    KEY_SHARES,   /* double [NET_MOST_QUANTILES], the same */
    KEY_PATTERNS, /* char [CONFIG_PATTERNS]: items with a blank between */
    KEY_RATES,    /* the same of pairs, whose second is a number */
    KEY_SEED,     /* uint64_t */
    KEY_REAL,     /* double */
    KEY_AUTO,     /* struct net_choice: a number, or auto */
    KEY_BYTES,    /* size_t */
    KEY_SECONDS,  /* double */
    KEY_INTERVALS /* int64_t [INTERVALS], by enum interval: one or more of them */
};

/* What a resumed run makes of another value than it was started with. */
enum resume {
    RESUME_REFUSED,
    RESUME_ALLOWED,
    RESUME_EPOCHS /* allowed where the schedule does not depend on it */
};

struct config_key {
    const char *section, *name;
    enum key_type type;
    size_t offset;              /* in struct config */
    const char *initial;        /* default, as text */
    double least, most;         /* of numbers */
    int above_least;            /* least itself is out */
    int below_most;             /* most itself is out */
    const char *const *choices; /* names of the enumerators in order, then NULL */
    size_t length;              /* offset of the length, a size_t, of a list that has its own */
    enum resume resume;
    int learning; /* 1: of the network's keys: what it computes once it is trained does not depend on it */
    int since;    /* format of checkpoints that first has this key of the network; 0: 4 and before */
    const char *former; /* "SECTION.NAME" that the key once had, and is still read under; NULL: none */
};

#define CONFIG_LARGE                                                                                         \
    1e15 /* a limit from here on is one that hardly anyone meets, and stands last in messages */

enum { CONFIG_VALUE_MOST = 32 * NET_MOST_CLASS_WEIGHTS }; /* bytes that hold any value as text but a path */

extern const struct config_key config_keys[];
extern const size_t config_key_count;

const struct config_key *key_find(const char *section, const char *name); /* NULL where there is none */

/* Finds the key that once had this name; NULL where there is none. */
const struct config_key *key_find_former(const char *section, const char *name);

int key_section_exists(const char *section);

/* Does it set a member of the network's configuration? Checkpoints then keep it in an attribute of /model. */
int key_is_of_network(const struct config_key *key);

/* Takes a value: NULL, or what is wrong with it ("out of range"), *config then untouched. A list fills as
 * many elements as it has, and *items with how many that are (1 for other types); one with a length of its
 * own may be empty. A path is relative to `directory` (absolute), or to HOME where it begins with ~/. Running
 * out of memory is among what can be wrong. */
const char *key_read(const struct config_key *key, const char *text, const char *directory,
    struct config *config, size_t *items);

/* Does the same for KEY_WEIGHTS, but appends what it takes to what is there; *items is how many that makes.
 */
const char *key_add(const struct config_key *key, const char *text, struct config *config, size_t *items);

/* Writes what may stand there: "a whole number from 1 to 64". */
void key_allowed(const struct config_key *key, char *text, size_t size);

/* The words that a value, or each of a list, may be, of which the last is NULL; NULL where there are none. Of
 * some types numbers may stand there too. (key_read.c) */
const char *const *key_words(const struct config_key *key);

/* Writes the value as text that key_read takes and makes the same value of; equal values give equal text.
 * Lists without a length of their own are written for model.layers layers (at least one). Returns the length
 * of the whole text, as snprintf does. */
size_t key_write(const struct config_key *key, const struct config *config, char *text, size_t size);

/* Is its value a list that has an element for each layer, of which a single one serves all? */
int key_is_for_each_layer(const struct config_key *key);

/* Gives every layer the value of the first. */
void key_spread(const struct config_key *key, struct config *config);

/* Write " (did you mean ...?)" for a section or key that does not exist, or nothing where none comes near;
 * and the names that there are, separated by commas. */
void key_suggest_section(const char *section, char *text, size_t size);
void key_suggest_name(const char *section, const char *name, char *text, size_t size);
void key_list_sections(char *text, size_t size);
void key_list_names(const char *section, char *text, size_t size);

#endif
