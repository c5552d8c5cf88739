/* Keys against each other. */
#ifndef CONFIG_TOGETHER_H
#define CONFIG_TOGETHER_H

#include "config/reading.h"

/* Keys that contradict each other, each a fault of one of them. */
void config_check_together(struct config_reading *reading);

#endif
