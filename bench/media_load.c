/* Puts calls through a media relay and counts what comes out: each call 50 packets a second each way.

   media_load ADDRESS PORT SECONDS WARM_UP RELAY < calls

   It sits at ADDRESS, the relay at RELAY. Side A is plain RTP at PORT, side B at PORT + 2 plain or SRTP; RTCP is taken at the odd ports and dropped.
   A line of input is a call: the relay's port toward A, its port toward B, and for SRTP the key and salt (60
   hex digits each) of what is sent to the relay and of what it sends. Each packet that comes at B over SRTP is
   authenticated and decrypted (AES_CM_128_HMAC_SHA1_80, RFC 3711). One JSON line tells what was seen.

   One thread, one socket a side for all calls, so that the generator stays far from its limit. Receive times
   are the kernel's. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

enum { SLOTS = 40, MOST = 4000, BATCH = 256, ROOM = 256, PACKET = 172, TAG = 10, BUCKETS = 200000 };

/* --- AES-128, encryption only (FIPS 197), with the round tables made at the start --- */

static uint8_t box[256];
static uint32_t table[4][256];

static uint8_t twice(uint8_t a) { return (uint8_t)(a << 1 ^ (a >> 7) * 0x1b); }

static void aes_tables(void) {
    uint8_t p = 1, q = 1;
    do { /* p runs through all but 0, q is its inverse */
        p = p ^ twice(p);
        q ^= q << 1; q ^= q << 2; q ^= q << 4;
        if (q & 0x80) q ^= 0x09;
        uint8_t x = q;
        for (int n = 1; n < 5; n++) x ^= (uint8_t)(q << n | q >> (8 - n));
        box[p] = x ^ 0x63;
    } while (p != 1);
    box[0] = 0x63;
    for (int n = 0; n < 256; n++) {
        uint8_t s = box[n], d = twice(s);
        uint32_t w = (uint32_t)d << 24 | (uint32_t)s << 16 | (uint32_t)s << 8 | (uint8_t)(d ^ s);
        for (int k = 0; k < 4; k++) table[k][n] = k ? w >> 8 * k | w << (32 - 8 * k) : w;
    }
}

static uint32_t word(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put(uint8_t *p, uint32_t w) { p[0] = w >> 24; p[1] = w >> 16; p[2] = w >> 8; p[3] = w; }

static uint32_t boxed(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    return (uint32_t)box[a >> 24] << 24 | (uint32_t)box[b >> 16 & 255] << 16 |
           (uint32_t)box[c >> 8 & 255] << 8 | box[d & 255];
}

static void aes_key(uint32_t *round, const uint8_t *key) {
    uint8_t constant = 1;
    for (int n = 0; n < 4; n++) round[n] = word(key + 4 * n);
    for (int n = 4; n < 44; n++) {
        uint32_t w = round[n - 1];
        if (n % 4 == 0) {
            w = w << 8 | w >> 24;
            w = boxed(w, w, w, w) ^ (uint32_t)constant << 24;
            constant = twice(constant);
        }
        round[n] = round[n - 4] ^ w;
    }
}

static void aes(const uint32_t *round, const uint32_t in[4], uint8_t *out) {
    uint32_t s[4], t[4];
    for (int n = 0; n < 4; n++) s[n] = in[n] ^ round[n];
    for (int r = 1; r < 10; r++) {
        for (int n = 0; n < 4; n++)
            t[n] = table[0][s[n] >> 24] ^ table[1][s[(n + 1) & 3] >> 16 & 255] ^
                   table[2][s[(n + 2) & 3] >> 8 & 255] ^ table[3][s[(n + 3) & 3] & 255] ^ round[4 * r + n];
        memcpy(s, t, sizeof s);
    }
    for (int n = 0; n < 4; n++)
        put(out + 4 * n, boxed(s[n], s[(n + 1) & 3], s[(n + 2) & 3], s[(n + 3) & 3]) ^ round[40 + n]);
}

/* --- SHA-1 (FIPS 180-4) and its HMAC, the two key blocks hashed beforehand --- */

static uint32_t rotated(uint32_t w, int n) { return w << n | w >> (32 - n); }

static void sha1_block(uint32_t h[5], const uint8_t *p) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int n = 0; n < 16; n++) w[n] = word(p + 4 * n);
    for (int n = 16; n < 80; n++) w[n] = rotated(w[n - 3] ^ w[n - 8] ^ w[n - 14] ^ w[n - 16], 1);
    for (int n = 0; n < 80; n++) {
        uint32_t f = n < 20   ? (d ^ (b & (c ^ d))) + 0x5a827999
                     : n < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : n < 60 ? ((b & c) | (d & (b | c))) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = rotated(a, 5) + f + e + w[n];
        e = d; d = c; c = rotated(b, 30); b = a; a = next;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
}

/* The rest of a message whose first 64 octets are in h already. */
static void sha1_rest(uint32_t h[5], const uint8_t *p, size_t length) {
    uint8_t last[128] = {0};
    size_t left = length;
    for (; left >= 64; left -= 64, p += 64) sha1_block(h, p);
    memcpy(last, p, left);
    last[left] = 0x80;
    size_t end = left < 56 ? 64 : 128;
    put(last + end - 4, (uint32_t)((length + 64) * 8));
    for (size_t at = 0; at < end; at += 64) sha1_block(h, last + at);
}

typedef struct { uint32_t aes[44], inner[5], outer[5], salt[4]; } Context;

static void derive(const uint8_t *material, uint8_t label, uint8_t *out, int length) {
    uint32_t round[44], in[4];
    uint8_t x[16] = {0}, block[16];
    memcpy(x, material + 16, 14);
    x[7] ^= label; /* RFC 3711 4.3.1 */
    aes_key(round, material);
    for (int n = 0; n < length; n += 16) {
        for (int k = 0; k < 4; k++) in[k] = word(x + 4 * k);
        in[3] += n / 16;
        aes(round, in, block);
        memcpy(out + n, block, length - n < 16 ? length - n : 16);
    }
}

static void context(Context *made, const uint8_t *material) {
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t key[16], auth[20], salt[16] = {0}, pad[64];
    derive(material, 0, key, 16);
    derive(material, 1, auth, 20);
    derive(material, 2, salt, 14);
    aes_key(made->aes, key);
    for (int n = 0; n < 4; n++) made->salt[n] = word(salt + 4 * n);
    for (int outer = 0; outer < 2; outer++) {
        uint32_t *h = outer ? made->outer : made->inner;
        memset(pad, outer ? 0x5c : 0x36, sizeof pad);
        for (int n = 0; n < 20; n++) pad[n] ^= auth[n];
        memcpy(h, start, sizeof start);
        sha1_block(h, pad);
    }
}

static void crypt(const Context *by, uint8_t *packet, size_t length) { /* rollover counter 0 */
    uint8_t stream[16];
    uint32_t in[4] = {by->salt[0], by->salt[1] ^ word(packet + 8), by->salt[2],
                      by->salt[3] ^ (uint32_t)packet[2] << 24 ^ (uint32_t)packet[3] << 16};
    for (size_t at = 12; at < length; at += 16, in[3]++) {
        aes(by->aes, in, stream);
        for (size_t n = 0; n < 16 && at + n < length; n++) packet[at + n] ^= stream[n];
    }
}

static void tag(const Context *by, uint8_t *packet, size_t length, uint8_t *out) { /* writes behind the packet */
    uint32_t h[5];
    uint8_t digest[20];
    memset(packet + length, 0, 4); /* the rollover counter is authenticated too */
    memcpy(h, by->inner, sizeof h);
    sha1_rest(h, packet, length + 4);
    for (int n = 0; n < 5; n++) put(digest + 4 * n, h[n]);
    memcpy(h, by->outer, sizeof h);
    sha1_rest(h, digest, 20);
    for (int n = 0; n < 5; n++) put(digest + 4 * n, h[n]);
    memcpy(out, digest, TAG);
}

/* --- the calls --- */

typedef struct {
    struct sockaddr_in to[2]; /* the relay's port of side A and of side B */
    Context out, in;          /* of side B */
    uint16_t sequence[2];
    uint32_t sent[2], came[2], counted[2]; /* by the side they were sent from */
} Call;

static Call calls[MOST];
static int count, secure;
static int by_port[65536];
static uint64_t refused, foreign, delays[BUCKETS];
static uint8_t send_room[BATCH][ROOM], room[BATCH][ROOM], control[BATCH][128];

static uint64_t nanoseconds(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int opened(const char *address, int port) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)};
    int size = 32 << 20, on = 1, made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    inet_pton(AF_INET, address, &here.sin_addr);
    if (setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) /* needs root; else what is allowed */
        setsockopt(made, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(made, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(made, (struct sockaddr *)&here, sizeof here)) { perror("bind"); exit(2); }
    return made;
}

static size_t packet_of(Call *call, int side, uint8_t *p, int counts) {
    uint16_t sequence = call->sequence[side]++;
    uint32_t number = (uint32_t)(call - calls);
    uint64_t now = nanoseconds(CLOCK_REALTIME);
    memset(p, 0xd5, PACKET);
    p[0] = 0x80; p[1] = 8; p[2] = sequence >> 8; p[3] = sequence;
    put(p + 4, sequence * 160u); put(p + 8, 0x10000000u * (side + 1) + number);
    put(p + 12, number); put(p + 16, (uint32_t)counts);
    put(p + 20, now >> 32); put(p + 24, (uint32_t)now);
    call->sent[side] += counts;
    if (!secure || side == 0) return PACKET;
    uint8_t mark[TAG];
    crypt(&call->out, p, PACKET);
    tag(&call->out, p, PACKET, mark);
    memcpy(p + PACKET, mark, TAG);
    return PACKET + TAG;
}

static void send_slot(int made[2], int slot, int counts) {
    static struct mmsghdr batch[BATCH];
    static struct iovec parts[BATCH];
    for (int side = 0; side < 2; side++) {
        int n = side ? (slot + SLOTS / 2) % SLOTS : slot; /* side B half a packet time later */
        while (n < count) {
            int filled = 0;
            for (; n < count && filled < BATCH; n += SLOTS, filled++) {
                Call *call = &calls[n];
                parts[filled] = (struct iovec){send_room[filled], packet_of(call, side, send_room[filled], counts)};
                batch[filled].msg_hdr = (struct msghdr){.msg_name = &call->to[side],
                                                        .msg_namelen = sizeof call->to[side],
                                                        .msg_iov = &parts[filled], .msg_iovlen = 1};
            }
            for (int gone = 0; gone < filled;) {
                int done = sendmmsg(made[side], batch + gone, filled - gone, 0);
                gone += done > 0 ? done : 1; /* what the kernel refuses is lost */
            }
        }
    }
}

static void judge(int side, uint8_t *p, size_t length, int port, uint64_t came_at) {
    int from = 1 - side, found = by_port[port];
    if (!found) { foreign++; return; }
    Call *call = &calls[found - 1];
    if (secure && side == 1) {
        uint8_t mark[TAG], theirs[TAG];
        if (length != PACKET + TAG) { foreign++; return; }
        length -= TAG;
        memcpy(theirs, p + length, TAG);
        tag(&call->in, p, length, mark);
        if (memcmp(mark, theirs, TAG)) { refused++; return; }
        crypt(&call->in, p, length);
    }
    if (length != PACKET || word(p + 12) != (uint32_t)(call - calls)) { foreign++; return; }
    call->came[from]++;
    if (!word(p + 16)) return; /* of the warm-up */
    call->counted[from]++;
    uint64_t sent_at = (uint64_t)word(p + 20) << 32 | word(p + 24);
    uint64_t us = came_at > sent_at ? (came_at - sent_at) / 1000 : 0;
    delays[us < BUCKETS ? us : BUCKETS - 1]++;
}

static void take(int made, int side) {
    struct mmsghdr batch[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in from[BATCH];
    for (;;) {
        for (int n = 0; n < BATCH; n++) {
            parts[n] = (struct iovec){room[n], ROOM};
            batch[n].msg_hdr = (struct msghdr){.msg_name = &from[n], .msg_namelen = sizeof from[n],
                                               .msg_iov = &parts[n], .msg_iovlen = 1,
                                               .msg_control = control[n], .msg_controllen = sizeof control[n]};
        }
        int came = recvmmsg(made, batch, BATCH, MSG_DONTWAIT, NULL);
        for (int n = 0; n < came && side >= 0; n++) {
            uint64_t at = 0;
            for (struct cmsghdr *c = CMSG_FIRSTHDR(&batch[n].msg_hdr); c; c = CMSG_NXTHDR(&batch[n].msg_hdr, c))
                if (c->cmsg_type == SCM_TIMESTAMPNS) {
                    struct timespec t;
                    memcpy(&t, CMSG_DATA(c), sizeof t);
                    at = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
                }
            judge(side, room[n], batch[n].msg_len, ntohs(from[n].sin_port), at);
        }
        if (came < BATCH) return;
    }
}

static int unhex(const char *text, uint8_t *out) {
    for (int n = 0; n < 30; n++)
        if (sscanf(text + 2 * n, "%2hhx", &out[n]) != 1) return 0;
    return 1;
}

static double percentile(double share, uint64_t total) {
    uint64_t seen = 0;
    for (int n = 0; n < BUCKETS; n++)
        if ((seen += delays[n]) > (uint64_t)(share * (double)total)) return n;
    return 0;
}

int main(int words, char **word_of) {
    if (words != 6) { fprintf(stderr, "media_load ADDRESS PORT SECONDS WARM_UP RELAY < calls\n"); return 2; }
    const char *address = word_of[1];
    int port = atoi(word_of[2]), ports[2], fields;
    double seconds = atof(word_of[3]), warm_up = atof(word_of[4]);
    char line[256], out[128], in[128];
    aes_tables();
    while (count < MOST && fgets(line, sizeof line, stdin)) {
        uint8_t material[30];
        Call *call = &calls[count];
        fields = sscanf(line, "%d %d %127s %127s", &ports[0], &ports[1], out, in);
        if (fields != 2 && fields != 4) { fprintf(stderr, "bad line %s", line); return 2; }
        secure = fields == 4;
        for (int side = 0; side < 2; side++) {
            call->to[side] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(ports[side])};
            inet_pton(AF_INET, word_of[5], &call->to[side].sin_addr);
            by_port[ports[side]] = count + 1;
        }
        if (secure) {
            if (!unhex(out, material)) return 2;
            context(&call->out, material);
            if (!unhex(in, material)) return 2;
            context(&call->in, material);
        }
        count++;
    }
    int made[2] = {opened(address, port), opened(address, port + 2)};
    int reports[2] = {opened(address, port + 1), opened(address, port + 3)};
    printf("ready\n");
    fflush(stdout);
    uint64_t begun = nanoseconds(CLOCK_MONOTONIC), late = 0, slot_ns = 20000000u / SLOTS;
    uint64_t slots = (uint64_t)((seconds + warm_up) * 50) * SLOTS, first = (uint64_t)(warm_up * 50) * SLOTS;
    for (uint64_t n = 0; n < slots; n++) {
        uint64_t due = begun + n * slot_ns;
        struct timespec at = {(time_t)(due / 1000000000u), (long)(due % 1000000000u)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        uint64_t now = nanoseconds(CLOCK_MONOTONIC);
        if (n >= first && now - due > late) late = now - due;
        if (n == first) { printf("measuring\n"); fflush(stdout); }
        send_slot(made, (int)(n % SLOTS), n >= first);
        for (int side = 0; side < 2; side++) { take(made[side], side); take(reports[side], -1); }
    }
    printf("sent\n");
    fflush(stdout);
    struct timespec rest = {0, 500000000};
    nanosleep(&rest, NULL);
    for (int side = 0; side < 2; side++) take(made[side], side);
    uint64_t sent = 0, came = 0;
    for (int n = 0; n < count; n++)
        for (int side = 0; side < 2; side++) { sent += calls[n].sent[side]; came += calls[n].counted[side]; }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"calls\": %d, \"sent\": %llu, \"received\": %llu, \"refused\": %llu, \"foreign\": %llu, "
           "\"p50\": %.0f, \"p99\": %.0f, \"late\": %.1f, \"share\": %.3f}\n",
           count, (unsigned long long)sent, (unsigned long long)came, (unsigned long long)refused,
           (unsigned long long)foreign, percentile(0.5, came), percentile(0.99, came), (double)late / 1e6,
           cpu / (seconds + warm_up + 0.5));
    return 0;
}
