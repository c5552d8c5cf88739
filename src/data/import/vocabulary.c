/* An open hash table by XXH3, twice as large as what is in it; places in it are 32 bits. */
#include "data/import/vocabulary.h"

#include "base/array.h"
#include "base/hash.h"
#include "base/numbers.h"
#include "data/import/sequence.h"

#include <stdlib.h>
#include <string.h>

/* ---- finding ---- */

/* The slot of a text, or the empty one where it belongs. */
static uint32_t *find_slot(const struct import_vocabulary *list, const char *text)
{
    size_t at = (size_t)hash_bytes(text, strlen(text)) & (list->slots - 1);
    while (list->slot[at] && strcmp(list->text[list->slot[at] - 1], text) != 0)
        at = (at + 1) & (list->slots - 1);
    return &list->slot[at];
}

static int widen(struct import_vocabulary *list)
{
    size_t slots = list->slots ? 2 * list->slots : 64;
    uint32_t *fresh = calloc(slots, sizeof *fresh);
    if (!fresh)
        return -1;
    free(list->slot);
    list->slot = fresh;
    list->slots = slots;
    for (size_t i = 0; i < list->n; i++)
        *find_slot(list, list->text[i]) = (uint32_t)i + 1;
    return 0;
}

static int32_t add(struct import_vocabulary *list, const char *text)
{
    if (list->n >= (list->most ? list->most : IMPORT_MOST_LABELS))
        return LABEL_MANY;
    char **texts = array_grow(list->text, &list->text_room, list->n, sizeof *texts);
    if (!texts)
        return LABEL_MEMORY;
    list->text = texts;
    int64_t *counts = array_grow(list->count, &list->count_room, list->n, sizeof *counts);
    if (!counts)
        return LABEL_MEMORY;
    list->count = counts;
    if (2 * (list->n + 1) > list->slots && widen(list))
        return LABEL_MEMORY;
    list->text[list->n] = strdup(text);
    if (!list->text[list->n])
        return LABEL_MEMORY;
    list->count[list->n] = 0;
    *find_slot(list, text) = (uint32_t)list->n + 1;
    return (int32_t)list->n++;
}

int32_t import_vocabulary_find(struct import_vocabulary *list, const char *text, int counted)
{
    uint32_t place = list->slots ? *find_slot(list, text) : 0;
    int32_t found = place ? (int32_t)(place - 1) : LABEL_UNKNOWN;
    if (!place && !list->closed)
        found = add(list, text);
    if (found >= 0 && counted)
        list->count[found]++;
    return found;
}

int32_t import_vocabulary_find_number(struct import_vocabulary *list, int64_t number)
{
    int64_t limit = list->limit ? list->limit : INT32_MAX;
    if (number < 0 || number >= limit)
        return LABEL_UNKNOWN;
    if ((size_t)number >= list->n)
        list->n = (size_t)number + 1;
    return (int32_t)number;
}

/* ---- numbering ---- */

/* A text on its way to its number. */
struct import_numbered {
    char *text;
    int64_t value; /* where all texts are whole numbers */
    size_t place;
};

static int compare_values(const void *a, const void *b)
{
    const struct import_numbered *left = a, *right = b;
    if (left->value != right->value)
        return left->value < right->value ? -1 : 1;
    return strcmp(left->text, right->text); /* "1" and "01" */
}

static int compare_texts(const void *a, const void *b)
{
    const struct import_numbered *left = a, *right = b;
    return strcmp(left->text, right->text);
}

/* Sorts what is kept, gives it numbers, and what is not the number of `rare`. */
static void number_all(
    struct import_vocabulary *list, struct import_numbered *sorted, int64_t least, const char *rare)
{
    size_t kept = 0;
    int whole = 1;
    for (size_t i = 0; i < list->n; i++) {
        struct import_numbered label = {list->text[i], 0, i};
        list->order[i] = -1;
        if (list->count[i] < least && strcmp(list->text[i], rare) != 0)
            continue;
        int is_rare = least && strcmp(list->text[i], rare) == 0;
        whole = whole && !is_rare && number_read_integer(label.text, &label.value) == NUMBER_OK;
        sorted[kept++] = label;
    }
    qsort(sorted, kept, sizeof *sorted, whole ? compare_values : compare_texts);
    int32_t number_of_rare = 0;
    for (size_t k = 0; k < kept; k++) {
        list->order[sorted[k].place] = (int32_t)k;
        if (least && strcmp(sorted[k].text, rare) == 0)
            number_of_rare = (int32_t)k;
    }
    for (size_t i = 0; i < list->n; i++)
        if (list->order[i] < 0) {
            list->order[i] = number_of_rare;
            free(list->text[i]);
        }
    for (size_t k = 0; k < kept; k++)
        list->text[k] = sorted[k].text;
    list->n = kept;
}

int import_vocabulary_order(
    struct import_vocabulary *list, int64_t least, const char *rare, struct error *error)
{
    if (list->closed || list->numbered)
        return 0;
    if (least && import_vocabulary_find(list, rare, 0) < 0)
        return error_set(error, EXIT_CODE_INTERNAL, "out of memory");
    struct import_numbered *sorted = calloc(list->n + 1, sizeof *sorted);
    list->order = calloc(list->n + 1, sizeof *list->order);
    int made = sorted && list->order;
    if (made)
        number_all(list, sorted, least, rare);
    free(sorted);
    list->closed = 1;
    return made ? 0 : error_set(error, EXIT_CODE_INTERNAL, "out of memory");
}

void import_vocabulary_finish(struct import_vocabulary *list)
{
    for (size_t i = 0; list->text && i < list->n; i++)
        free(list->text[i]);
    free(list->text);
    free(list->count);
    free(list->slot);
    free(list->order);
    *list = (struct import_vocabulary){0};
}
