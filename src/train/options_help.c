#include "train/options.h"

const char *train_options_help(void)
{
    return "usage: rnn-train [OPTION]... CONFIG\n"
           "       mpirun -np N rnn-train [OPTION]... CONFIG\n"
           "       rnn-train --verify FILE|RUN\n"
           "Train a deep bidirectional recurrent network as the configuration says, on all ranks\n"
           "together. The same command run again continues the run.\n"
           "\n"
           "  -s, --set SECTION.KEY=VALUE  override a key of the configuration; repeatable\n"
           "  -o, --run DIR                run directory (default: runs/ and CONFIG's name without\n"
           "                               .ini; DIR itself where CONFIG is DIR/config.ini of a run)\n"
           "      --fresh                  start over in a directory that already holds a run\n"
           "      --init CHECKPOINT        start from these weights\n"
           "      --max-time [DD-]HH:MM:SS stop with a checkpoint before this time is over\n"
           "      --plan [N]               print what a run on N ranks would do, and exit\n"
           "      --check                  check configuration and all data, report every fault, exit\n"
           "      --verify FILE|RUN        say whether a checkpoint or a whole run is sound, and exit\n"
           "      --progress auto|line|log one updating line, or a line per report interval\n"
           "      --stop-exit-code N       exit with N instead of 0 after a clean stop before the end\n"
           "  -q, --quiet                  say less; twice: errors only\n"
           "  -v, --verbose                say more\n"
           "      --help                   print this, and exit\n"
           "      --version                print versions, compiler and instruction set, and exit\n"
           "\n"
           "Exit codes: 0 finished, or stopped cleanly with a checkpoint; 2 usage; 65 bad data or\n"
           "configuration; 70 out of memory and the like; 74 input/output; 76 diverged;\n"
           "77 replicas differ; 124 a rank stopped answering.\n"
           "The keys of a configuration: man rnn-train.\n";
}

const char *predict_options_help(void)
{
    return "usage: rnn-predict [OPTION]... CHECKPOINT DATASET\n"
           "       mpirun -np N rnn-predict [OPTION]... CHECKPOINT DATASET\n"
           "Run the network of a checkpoint over a dataset: print loss and error where the dataset\n"
           "has targets, write the outputs where -o says so.\n"
           "\n"
           "  -o, --output FILE            write outputs, offsets, labels and names to this HDF5 file\n"
           "      --batch N                sequences that a rank computes at a time (default: the\n"
           "                               grain of the checkpoint's run)\n"
           "      --cache SIZE             memory for the dataset per rank (default: '256 MiB')\n"
           "      --progress auto|line|log one updating line, or a line per report interval\n"
           "  -q, --quiet                  say less; twice: errors only\n"
           "  -v, --verbose                say more\n"
           "      --help                   print this, and exit\n"
           "      --version                print versions, compiler and instruction set, and exit\n"
           "\n"
           "Exit codes: 0 done; 2 usage; 65 bad data or checkpoint; 70 out of memory and the like;\n"
           "74 input/output; 124 a rank stopped answering.\n";
}
