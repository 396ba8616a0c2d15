/* The kind that parts the hands: the child waits for a word from outside, and the launcher goes. */
#include "base.h"
#include "calls.h"
#include "control.h"

/*
 * The descriptor is a FIFO's, opened for both directions, so that reading waits also while nobody has it open for
 * writing (fifo(7)). The host hand has gone when the word comes: from here on the child is on its own.
 */
int call_await(struct hand *hand, const struct arg *a)
{
	char word;
	ssize_t got;
	hand->left = true;
	do
		got = read(hand_fd(hand, a[0].slot), &word, 1);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno;
	close(hand->sync);
	hand->sync = -1;
	return hand_put(hand, a[0].slot, -1);
}
