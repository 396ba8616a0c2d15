/* Processes that outlive the program, where no pid namespace ends them. */
#pragma once

void become_reaper(void);
void kill_leftovers(void);             /* all children that the launcher still has */
void empty_cgroup(const char *path);   /* ends what is in it, removes empty subgroups; not a cgroup: nothing */
