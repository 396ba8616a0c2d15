/* The kind that parts the hands: the child waits for a word from outside, and the launcher goes. */
#include "base.h"
#include "calls.h"
#include "control.h"

/*
 * Both descriptors are FIFOs', opened for both directions, so that reading waits also while nobody has the first open for
 * writing (fifo(7)). The host hand has gone when the word comes: from here on the child is on its own. Who said it reads
 * the second: what goes wrong is written there, and its end means that the program runs, for exec has closed it.
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
	hand->result = a[1].slot >= 0 ? hand_fd(hand, a[1].slot) : -1;
	return hand_put(hand, a[0].slot, -1);
}
