/* Kinds on a cgroup that are more than writing to its files. */
#include "base.h"
#include "calls.h"
#include "kernel.h"
#include <fcntl.h>
#include <linux/bpf.h>

static long sys_bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof *attributes);
}

/* A program outlives its descriptor by being attached, and dies with its cgroup: there is nothing to undo. */
int call_bpf(struct hand *hand, const struct arg *a)
{
	union bpf_attr load = {
		.prog_type = (uint32_t)a[2].number,
		.insns = (uint64_t)(uintptr_t)a[4].text,
		.insn_cnt = a[4].length / sizeof(struct bpf_insn),
		.license = (uint64_t)(uintptr_t)"",
	};
	int cgroup = open_inside(hand, a[0].slot, a[1].text, O_RDONLY | O_DIRECTORY, 0);
	if (cgroup < 0)
		return errno;
	long program = sys_bpf(BPF_PROG_LOAD, &load);
	int error = result(program);
	if (!error) {
		/* Beside those of others, as in a tree that an init system manages: each must agree. */
		union bpf_attr attach = {
			.target_fd = (uint32_t)cgroup,
			.attach_bpf_fd = (uint32_t)program,
			.attach_type = (uint32_t)a[3].number,
			.attach_flags = BPF_F_ALLOW_MULTI,
		};
		error = result(sys_bpf(BPF_PROG_ATTACH, &attach));
		close((int)program);
	}
	close(cgroup);
	return error;
}
