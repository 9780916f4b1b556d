/* The yardstick: recv in a loop and nothing else. recv PORT PACKETS: prints the packets that came, and the CPU of it in microseconds. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return 1e6 * (u.ru_utime.tv_sec + u.ru_stime.tv_sec) + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

int main(int argc, char **argv) {
  static char buffer[65536];
  long wanted, came = 0;
  int room = 4 << 20;
  struct timeval patience = {2, 0};
  struct sockaddr_in address = {0};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (argc != 3) return 2;
  wanted = atol(argv[2]);
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) return 3;
  printf("ready\n");
  fflush(stdout);
  if (recv(fd, buffer, sizeof buffer, 0) < 0) return 4;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  double before = cpu();
  while (++came < wanted && recv(fd, buffer, sizeof buffer, 0) >= 0) {}
  printf("%ld %.0f\n", came, cpu() - before);
  return 0;
}
