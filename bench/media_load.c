/* Puts calls through a media relay and counts what comes out: each call 50 packets a second each way.

   media_load ADDRESS PORT SECONDS WARM_UP REPORT RELAY_A RELAY_B < calls

   It sits at ADDRESS, the relay at RELAY_A toward side A and at RELAY_B toward side B. Side A is plain RTP at
   PORT, side B at PORT + 2 plain or SRTP; RTCP goes from and to the ports after these. A line of input is a
   call: the relay's port toward A, its port toward B, and for SRTP the key and salt (60 hex digits each) of
   what is sent to the relay and of what it sends. Each packet that comes at B over SRTP or SRTCP is
   authenticated, RTP decrypted too (AES_CM_128_HMAC_SHA1_80, RFC 3711). Every REPORT seconds each side of each
   call sends a sender report with one block and a CNAME. One JSON line tells what was seen.

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

enum { SLOTS = 40, MOST = 4000, BATCH = 256, ROOM = 512, PACKET = 172, TAG = 10, BUCKETS = 200000, RTCP = 72 };

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

static void context(Context *made, const uint8_t *material, int rtcp) { /* labels 0-2, of SRTCP 3-5 */
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t key[16], auth[20], salt[16] = {0}, pad[64];
    derive(material, 3 * rtcp, key, 16);
    derive(material, 3 * rtcp + 1, auth, 20);
    derive(material, 3 * rtcp + 2, salt, 14);
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

/* Both ways, from the octet `at` on. `index` is the packet's, 48 bits (RFC 3711 4.1.1). */
static void crypt(const Context *by, uint8_t *packet, size_t at, size_t length, uint32_t ssrc, uint64_t index) {
    uint8_t stream[16];
    uint32_t in[4] = {by->salt[0], by->salt[1] ^ ssrc, by->salt[2] ^ (uint32_t)(index >> 16),
                      by->salt[3] ^ (uint32_t)index << 16};
    for (; at < length; at += 16, in[3]++) {
        aes(by->aes, in, stream);
        for (size_t n = 0; n < 16 && at + n < length; n++) packet[at + n] ^= stream[n];
    }
}

static void mark(const Context *by, const uint8_t *packet, size_t length, uint8_t *out) {
    uint32_t h[5];
    uint8_t digest[20];
    memcpy(h, by->inner, sizeof h);
    sha1_rest(h, packet, length);
    for (int n = 0; n < 5; n++) put(digest + 4 * n, h[n]);
    memcpy(h, by->outer, sizeof h);
    sha1_rest(h, digest, 20);
    for (int n = 0; n < 5; n++) put(digest + 4 * n, h[n]);
    memcpy(out, digest, TAG);
}

static void tag(const Context *by, uint8_t *packet, size_t length, uint8_t *out) { /* writes behind the packet */
    memset(packet + length, 0, 4); /* the rollover counter, 0 here, is authenticated too */
    mark(by, packet, length + 4, out);
}

/* --- the calls --- */

typedef struct {
    struct sockaddr_in to[2]; /* the relay's port of side A and of side B */
    struct sockaddr_in reports_to[2];
    Context out, in, reports_out, reports_in; /* of side B */
    uint16_t sequence[2];
    uint32_t heard[2], reported; /* the source heard at each side; the SRTCP index */
    uint64_t report_at[2];       /* the slot, in the time between two reports */
    uint32_t sent[2], came[2], counted[2]; /* by the side they were sent from */
} Call;

static Call calls[MOST];
static int count, secure;
static int by_port[2][65536]; /* by the side and the port the relay sends from */
static uint64_t refused, foreign, delays[BUCKETS], reports_sent, reports_came, reports_refused;
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
    uint8_t end[TAG];
    crypt(&call->out, p, 12, PACKET, word(p + 8), sequence);
    tag(&call->out, p, PACKET, end);
    memcpy(p + PACKET, end, TAG);
    return PACKET + TAG;
}

/* A sender report with one block, and who says so (RFC 3550 6.4.1, 6.5). */
static void report(int made, Call *call, int side) {
    uint8_t p[RTCP + 4 + TAG] = {0x81, 200, 0, 12};
    uint32_t own = 0x10000000u * (side + 1) + (uint32_t)(call - calls);
    uint64_t now = nanoseconds(CLOCK_REALTIME);
    size_t length = RTCP;
    put(p + 4, own);
    put(p + 8, (uint32_t)(now / 1000000000u + 2208988800u)); /* since 1900 */
    put(p + 12, (uint32_t)((now % 1000000000u << 32) / 1000000000u));
    put(p + 16, call->sequence[side] * 160u);
    put(p + 20, call->sequence[side]); put(p + 24, call->sequence[side] * 160u);
    put(p + 28, call->heard[side]); put(p + 36, call->came[1 - side]);
    memcpy(p + 52, "\x81\xca\x00\x04", 4);
    put(p + 56, own);
    memcpy(p + 60, "\x01\x09generator", 11);
    if (secure && side == 1) { /* RFC 3711 3.4: encrypted after the first source, E and index behind it */
        crypt(&call->reports_out, p, 8, length, own, call->reported);
        put(p + length, 0x80000000u | call->reported++);
        mark(&call->reports_out, p, length + 4, p + length + 4);
        length += 4 + TAG;
    }
    struct sockaddr_in *to = &call->reports_to[side];
    reports_sent += sendto(made, p, length, 0, (struct sockaddr *)to, sizeof *to) == (ssize_t)length;
}

static void send_reports(int made[2], uint64_t slot) {
    for (int n = 0; n < count; n++)
        for (int side = 0; side < 2; side++)
            if (calls[n].report_at[side] == slot) report(made[side], &calls[n], side);
}

static void judge_report(int side, const uint8_t *p, size_t length, int port) {
    int found = by_port[side][(port - 1) & 65535];
    if (!found) { foreign++; return; }
    if (secure && side == 1) {
        uint8_t end[TAG];
        if (length < 8 + 4 + TAG) { reports_refused++; return; }
        mark(&calls[found - 1].reports_in, p, length - TAG, end);
        if (memcmp(end, p + length - TAG, TAG)) { reports_refused++; return; }
    }
    if (length < 8 || p[0] >> 6 != 2 || (p[1] != 200 && p[1] != 201)) { reports_refused++; return; }
    reports_came++;
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
    int from = 1 - side, found = by_port[side][port];
    if (!found) { foreign++; return; }
    Call *call = &calls[found - 1];
    if (secure && side == 1) {
        uint8_t end[TAG], theirs[TAG];
        if (length != PACKET + TAG) { foreign++; return; }
        length -= TAG;
        memcpy(theirs, p + length, TAG);
        tag(&call->in, p, length, end);
        if (memcmp(end, theirs, TAG)) { refused++; return; }
        crypt(&call->in, p, 12, length, word(p + 8), (uint64_t)p[2] << 8 | p[3]);
    }
    if (length != PACKET || word(p + 12) != (uint32_t)(call - calls)) { foreign++; return; }
    call->came[from]++;
    call->heard[side] = word(p + 8);
    if (!word(p + 16)) return; /* of the warm-up */
    call->counted[from]++;
    uint64_t sent_at = (uint64_t)word(p + 20) << 32 | word(p + 24);
    uint64_t us = came_at > sent_at ? (came_at - sent_at) / 1000 : 0;
    delays[us < BUCKETS ? us : BUCKETS - 1]++;
}

static void take(int made, int side, int rtcp) {
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
        for (int n = 0; n < came; n++) {
            uint64_t at = 0;
            if (rtcp) {
                judge_report(side, room[n], batch[n].msg_len, ntohs(from[n].sin_port));
                continue;
            }
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
    if (words != 8) {
        fprintf(stderr, "media_load ADDRESS PORT SECONDS WARM_UP REPORT RELAY_A RELAY_B < calls\n");
        return 2;
    }
    const char *address = word_of[1];
    int port = atoi(word_of[2]), ports[2], fields;
    double seconds = atof(word_of[3]), warm_up = atof(word_of[4]);
    uint64_t every = (uint64_t)(atof(word_of[5]) * 50 * SLOTS);
    if (!every) { fprintf(stderr, "REPORT is too short\n"); return 2; }
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
            inet_pton(AF_INET, word_of[6 + side], &call->to[side].sin_addr);
            call->reports_to[side] = call->to[side];
            call->reports_to[side].sin_port = htons(ports[side] + 1);
            by_port[side][ports[side] & 65535] = count + 1;
        }
        if (secure) {
            if (!unhex(out, material)) return 2;
            context(&call->out, material, 0);
            context(&call->reports_out, material, 1);
            if (!unhex(in, material)) return 2;
            context(&call->in, material, 0);
            context(&call->reports_in, material, 1);
        }
        count++;
    }
    for (int n = 0; n < count; n++) /* spread evenly over the time */
        for (int side = 0; side < 2; side++)
            calls[n].report_at[side] = ((uint64_t)n * 2 + side) * every / ((uint64_t)count * 2);
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
        send_reports(reports, n % every);
        for (int side = 0; side < 2; side++) { take(made[side], side, 0); take(reports[side], side, 1); }
    }
    printf("sent\n");
    fflush(stdout);
    struct timespec rest = {0, 500000000};
    nanosleep(&rest, NULL);
    for (int side = 0; side < 2; side++) { take(made[side], side, 0); take(reports[side], side, 1); }
    uint64_t sent = 0, came = 0;
    for (int n = 0; n < count; n++)
        for (int side = 0; side < 2; side++) { sent += calls[n].sent[side]; came += calls[n].counted[side]; }
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"calls\": %d, \"sent\": %llu, \"received\": %llu, \"refused\": %llu, \"foreign\": %llu, "
           "\"reports_sent\": %llu, \"reports\": %llu, \"reports_refused\": %llu, "
           "\"p50\": %.0f, \"p99\": %.0f, \"late\": %.1f, \"share\": %.3f}\n",
           count, (unsigned long long)sent, (unsigned long long)came, (unsigned long long)refused,
           (unsigned long long)foreign, (unsigned long long)reports_sent, (unsigned long long)reports_came,
           (unsigned long long)reports_refused, percentile(0.5, came), percentile(0.99, came), (double)late / 1e6,
           cpu / (seconds + warm_up + 0.5));
    return 0;
}
