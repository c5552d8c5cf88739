#include "predict/wording.h"

#include "base/memory.h"
#include "net/losses/loss.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void wording_init(struct wording *wording, const struct net_config *config, const struct net_names *names,
    const struct dataset *dataset)
{
    *wording = (struct wording){.config = config, .names = names, .sequences.dataset = dataset};
}

void wording_finish(struct wording *wording)
{
    name_reader_finish(&wording->sequences);
}

const char *wording_of_sequence(struct wording *wording, int64_t sequence, struct error *error)
{
    const char *name = name_reader_get(&wording->sequences, sequence, error);
    if (!name || *name)
        return name;
    snprintf(wording->number, sizeof wording->number, "%" PRId64, sequence);
    return wording->number;
}

static const char *find_name(const struct wording *wording, enum names_of which, size_t place)
{
    const struct name_list *list = &wording->names->list[which];
    return list->text && place < list->n ? list->text[place] : NULL;
}

const char *wording_of_class(struct wording *wording, size_t class)
{
    const char *name = find_name(wording, NAMES_OF_CLASSES, class);
    if (name)
        return name;
    snprintf(wording->number, sizeof wording->number, "%zu", class);
    return wording->number;
}

char *wording_of_output(const struct wording *wording, size_t o, struct error *error)
{
    const struct loss_kind *loss = loss_of(wording->config);
    size_t heads = loss_count_heads(wording->config), place = o / heads;
    char number[32], head[32] = "";
    const char *name = find_name(wording, loss->takes_classes ? NAMES_OF_CLASSES : NAMES_OF_TARGETS, place);
    snprintf(number, sizeof number, "%zu", place);
    name = name ? name : number;
    if (loss->name_head) {
        head[0] = '_';
        loss->name_head(wording->config, o % heads, head + 1, sizeof head - 1);
    }
    size_t room = strlen(name) + sizeof head + 3;
    char *text = memory_create(room, 1, error);
    if (text)
        snprintf(text, room, "%c_%s%s", loss->gives_probabilities ? 'p' : 'y', name, head);
    return text;
}
