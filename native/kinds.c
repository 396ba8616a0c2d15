/* The table of kinds. src/plan/kinds.ts has the same; a test compares `launch --kinds` with it. */
#include "base.h"
#include "calls.h"
#include "say.h"
#include <string.h>
#include <unistd.h>

static const struct kind kinds[] = {
	/* birth and joining */
	{ KIND_CLONE, "clone", 'h', "Uf?", call_clone, false },
	{ 2, "unshare", 'b', "U", call_unshare, false },
	{ 3, "pidfd", 'h', "uUf", call_pidfd, false },
	{ 4, "setns", 'b', "fU", call_setns, false },
	{ 5, "signal", 'h', "fu", call_signal, false },
	{ KIND_AWAIT, "await", 'c', "ff?", call_await, false },
	{ 7, "lookup", 'c', "sv", call_lookup, false },

	/* files */
	{ 10, "open", 'b', "f?sUuf?", call_open, false },
	{ 11, "close", 'b', "f", call_close, false },
	{ 12, "mkdir", 'b', "f?suu", call_mkdir, false },
	{ 13, "write", 'b', "f?sbU", call_write, true },
	{ 15, "symlink", 'b', "f?ss", call_symlink, false },
	{ 16, "mknod", 'b', "f?suuu", call_mknod, false },
	{ 17, "rmdir", 'b', "f?s", call_rmdir, true },
	{ 18, "unlink", 'b', "f?s", call_unlink, true },
	{ 19, "rmtree", 'b', "f?s", call_rmtree, true },

	/* what the process stands on */
	{ 20, "mount", 'b', "s?f?ss?Us?", call_mount, false },
	{ 21, "umount", 'b', "f?sU", call_umount, true },
	{ 22, "pivot_root", 'c', "ss", call_pivot_root, false },
	{ 23, "chroot", 'c', "s", call_chroot, false },
	{ 24, "chdir", 'c', "f?s", call_chdir, false },
	{ 25, "open_tree", 'b', "f?suf", call_open_tree, false },
	{ 26, "mount_setattr", 'b', "f?suUUUf?", call_mount_setattr, false },
	{ 27, "move_mount", 'b', "ff?s", call_move_mount, false },
	{ 28, "userns", 'h', "bbf", call_userns, false },
	{ 29, "verify", 'b', "f?suuu", call_verify, false },

	/* what it sees */
	{ 30, "sethostname", 'c', "s", call_sethostname, false },
	{ 31, "setdomainname", 'c', "s", call_setdomainname, false },
	{ 32, "netlink", 'b', "ubus?", call_netlink, true },

	/* what the host's programs do for it, and what it shares with other containers */
	{ 33, "spawn", 'b', "svvbus?s?", call_spawn, true },
	{ 34, "share", 'h', "s", call_share, false },

	/* its terminal */
	{ 40, "setsid", 'c', "", call_setsid, false },
	{ 41, "openpts", 'c', "ff", call_openpts, false },
	{ 42, "winsize", 'c', "fuu", call_winsize, false },
	{ 43, "handover", 'c', "f", call_handover, false },
	{ 44, "ctty", 'c', "f", call_ctty, false },

	/* what it may do */
	{ 50, "rlimit", 'c', "uUU", call_rlimit, false },
	{ 51, "setgroups", 'c', "b", call_setgroups, false },
	{ 52, "setgid", 'c', "u", call_setgid, false },
	{ 53, "setuid", 'c', "u", call_setuid, false },
	{ 54, "capbset", 'c', "U", call_capbset, false },
	{ 55, "capset", 'c', "UUU", call_capset, false },
	{ 56, "capambient", 'c', "U", call_capambient, false },
	{ 57, "prctl", 'b', "uU", call_prctl, false },
	{ 58, "umask", 'c', "u", call_umask, false },
	{ KIND_SECCOMP, "seccomp", 'c', "bUf?", call_seccomp, false },
	{ 62, "sendfd", 'h', "sfv", call_sendfd, false },

	/* how it runs */
	{ 63, "personality", 'c', "u", call_personality, false },
	{ 64, "schedattr", 'c', "uUuuUUU", call_schedattr, false },
	{ 65, "ioprio", 'c', "uu", call_ioprio, false },
	{ 66, "affinity", 'c', "b", call_affinity, false },
	{ 67, "mempolicy", 'c', "uUb", call_mempolicy, false },
	{ 68, "keyring", 'c', "", call_keyring, false },

	/* what it runs */
	{ 60, "init", 'c', "", call_init, false },
	{ KIND_EXEC, "exec", 'c', "vv", call_exec, false },

	/* what a mount needs around it */
	{ 70, "mountpoint", 'b', "f?suf?", call_mountpoint, false },
	{ 71, "mask", 'b', "f?sf", call_mask, false },
	{ 72, "chown", 'b', "f?suu", call_chown, false },
	{ 73, "copytree", 'b', "ffu", call_copytree, false },

	/* what its cgroup allows */
	{ 80, "bpf", 'h', "f?suub", call_bpf, false },

	/* a file system made by descriptor */
	{ 81, "fsopen", 'b', "sf", call_fsopen, false },
	{ 82, "fsconfig", 'b', "fus?s?f?", call_fsconfig, false },
	{ 83, "fsmount", 'b', "fUf", call_fsmount, false },

	/* what a service manager hears of it */
	{ 90, "pidenv", 'c', "s", call_pidenv, false },
	{ 91, "listen", 'h', "sf", call_listen, false },
	{ 92, "ready", 'h', "f", call_ready, false },
	{ 93, "tell", 'h', "ss", call_tell, false },
};

const struct kind *kind_by_code(uint16_t code)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kinds[i].code == code)
			return &kinds[i];
	return NULL;
}

/* As native/README.md spells signatures: the marks of what may be absent are the decoder's own. */
void kinds_print(void)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char line[128] = "", digits[NUMBER_MAX], hands[] = { ' ', kinds[i].hands, ' ', 0 };
		strcat(strcat(strcat(strcat(line, number(digits, kinds[i].code)), " "), kinds[i].name), hands);
		size_t used = strlen(line);
		for (const char *letter = kinds[i].signature; *letter; letter++)
			if (*letter != '?')
				line[used++] = *letter;
		line[used++] = '\n';
		if (write(1, line, used) < 0)
			return;
	}
}
