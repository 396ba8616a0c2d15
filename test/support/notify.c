/* sd_notify(3) from both ends: notify TEXT sends it to $NOTIFY_SOCKET; notify --listen PATH prints what arrives there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int listens = argc == 3 && strcmp(argv[1], "--listen") == 0;
	const char *path = listens ? argv[2] : getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char text[4096];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (!path || argc < 2 || strlen(path) >= sizeof address.sun_path)
		return 2;
	strcpy(address.sun_path, path);
	if (!listens)
		return sendto(fd, argv[1], strlen(argv[1]), 0, (struct sockaddr *)&address, sizeof address) < 0;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return 1;
	for (;;) {
		ssize_t got = recv(fd, text, sizeof text, 0);
		if (got <= 0 || write(1, text, got) < 0)
			return 1;
	}
}
