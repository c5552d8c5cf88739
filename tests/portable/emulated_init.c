/* The first and only process of a Linux in an emulated PC: runs /ten_steps with the environment that the
 * kernel's command line gave, waits, and ends the emulation by Bochs' shutdown port. What it prints goes to
 * the console. */
#include <stdio.h>
#include <sys/io.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHUTDOWN_PORT = 0x8900 };

int main(void)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        execl("/ten_steps", "ten_steps", (char *)NULL);
        _exit(127);
    }
    waitpid(child, &status, 0);
    printf("status=%d\n", status);
    fflush(stdout);
    sleep(1); /* the serial line is slow */
    if (iopl(3) == 0)
        for (const char *word = "Shutdown"; *word; word++)
            outb((unsigned char)*word, SHUTDOWN_PORT);
    for (;;)
        pause();
}
