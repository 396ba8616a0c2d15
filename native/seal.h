#pragma once

int seal_self(char **argv);           /* 0 when this process runs from a sealed copy; else errno, or no return */
void fill_standard_descriptors(void); /* 0, 1 and 2 exist: nothing of ours may land there */
void forget_environment(void);
void close_inherited(int control, int pass); /* but these: a descriptor, -1 for none, and so many from 3 on */
void close_passed(int pass);
