/* What the keys of a configuration must be to each other. */
#ifndef CONFIG_KEY_RULES_H
#define CONFIG_KEY_RULES_H

#include "config/reading.h"

/* Reports keys that contradict each other, each as a fault of one of them. */
void config_check_rules(struct config_reading *reading);

#endif
