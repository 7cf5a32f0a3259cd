/* The benchmark's rollout in plain C: what the exact data plane is measured against.
 *
 * Everything general is left out: one class of traffic, two pools, one kind of version, no limits to queues, no proxies,
 * random balancing. Crashes are known beforehand, so that the end of every attempt is known when it arrives and nothing
 * is carried from one stretch of time to the next. What is left is arithmetically the same (compile with
 * -ffp-contract=off): same draws, same answers, window by window.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#define UNIT_32 0x1p-32
#define UNIT_53 0x1p-53
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

enum { OK, ERROR, RESET, UNAVAILABLE, STATUSES };         /* 200, 500, 502, 503 */
enum { REQUESTS, FAILURES, TIMEOUTS, RETRIES, COUNTERS }; /* what clients meet with */
enum { LATE = -1, NOBODY = -1, GROUPS = 3 };

typedef struct {
    double at;
    uint64_t route;
    int64_t block, index, attempt;
} retry;

/* The layout is repeated in bench/plain.py. */
typedef struct {
    int64_t servers, retries, bounds, windows, room;
    double timeout_s, backoff_s, error_share, median_s, sigma, window_s;
    uint64_t key;
    const double *begin_s, *below;   /* by segment between changes of the routes: its start, the first pool's share */
    const int64_t *from, *pods;      /* two pools a segment: pods[from[2 segment] ...], pods[from[2 segment + 1] ...] */
    const int64_t *group;            /* by pod */
    const double *crash_s;           /* each pod's crashes, ended by infinity ... */
    int64_t *next_crash;             /* ... and the place of the next one */
    double *free_s;                  /* by pod: when each server is free, ascending, ended by infinity */
    const double *bounds_s;
    int64_t *answers, *buckets, *clients; /* by window, group + 1, and status, latency bucket or counter */
    retry *heap;
    int64_t size, segment, overflowed;
} world;

/* ---- draws: as sim/traffic/draws.py and lognormal.py ---- */

typedef struct {
    const double *we, *fe, *wi, *fi;
    const uint64_t *ke, *ki;
    double exp_r, nor_r, nor_inv_r;
} tables;

static inline uint64_t next(uint64_t s[4]) {
    uint64_t word = s[0] + s[1] + s[3]++;
    s[0] = s[1] ^ (s[1] >> 11);
    s[1] = s[2] + (s[2] << 3);
    s[2] = ((s[2] << 24) | (s[2] >> 40)) + word;
    return word;
}

static inline double unit(uint64_t s[4]) { return (double)(int64_t)(next(s) >> 11) * UNIT_53; }

static double exponential(uint64_t s[4], const tables *t) {
    for (;;) {
        uint64_t word = next(s), layer = (word >> 3) & 255, height = word >> 11;
        double x = (double)(int64_t)height * t->we[layer];
        if (height < t->ke[layer]) return x;
        if (layer == 0) return t->exp_r - log1p(-unit(s));
        if ((t->fe[layer - 1] - t->fe[layer]) * unit(s) + t->fe[layer] < exp(-x)) return x;
    }
}

static double normal(uint64_t s[4], const tables *t) {
    for (;;) {
        uint64_t word = next(s), layer = word & 255, height = (word >> 9) & 0xfffffffffffff;
        double x = (double)(int64_t)height * t->wi[layer] * (1.0 - 2.0 * (double)(int64_t)((word >> 8) & 1));
        if (height < t->ki[layer]) return x;
        if (layer == 0)
            for (;;) {
                double far = -t->nor_inv_r * log1p(-unit(s)), y = -log1p(-unit(s));
                if (y + y > far * far) return (height >> 8) & 1 ? -(t->nor_r + far) : t->nor_r + far;
            }
        if ((t->fi[layer - 1] - t->fi[layer]) * unit(s) + t->fi[layer] < exp(-0.5 * x * x)) return x;
    }
}

static inline double power(double x) {
    static const double series[] = {1 / 6227020800.0, 1 / 479001600.0, 1 / 39916800.0, 1 / 3628800.0, 1 / 362880.0,
                                    1 / 40320.0,      1 / 5040.0,      1 / 720.0,      1 / 120.0,     1 / 24.0,
                                    1 / 6.0,          0.5,             1.0,            1.0};
    double shifted = x * 1.4426950408889634 + 0x1.8p52, n = shifted - 0x1.8p52;
    double r = (x - n * 0.6931471803691238) - n * 1.9082149292705877e-10, sum = 0.0;
    for (int k = 0; k < 14; k++) sum = sum * r + series[k];
    int64_t bits;
    memcpy(&bits, &shifted, 8);
    bits = (int64_t)((uint64_t)bits << 52) + ((int64_t)1023 << 52);
    double scale;
    memcpy(&scale, &bits, 8);
    return sum * scale;
}

/* Arrivals, words and service times of a block, as sim/traffic/arrivals.py makes them. */
void draw(uint64_t state[4], const tables *t, int64_t count, int64_t steps, const double *edges_s, const double *reached,
          double median_s, double sigma, double *times, uint64_t *words, double *service) {
    uint64_t s[4] = {state[0], state[1], state[2], state[3]};
    double total = 0.0;
    for (int64_t i = 0; i < count; i++) times[i] = total += exponential(s, t);
    double scale = reached[steps] / (total + exponential(s, t)), latest = nextafter(edges_s[steps], -INFINITY);
    int64_t last = steps - 1, step = 0;
    while (reached[last] == reached[last + 1]) last--;
    for (int64_t i = 0; i < count; i++) {
        double mass = times[i] * scale;
        while (step < last && mass >= reached[step + 1]) step++;
        double share = (mass - reached[step]) / (reached[step + 1] - reached[step]);
        times[i] = MIN(edges_s[step] + (edges_s[step + 1] - edges_s[step]) * share, latest);
    }
    for (int64_t i = 0; i < 2 * count; i++) words[i] = next(s);
    for (int64_t i = 0; i < count; i++) service[i] = normal(s, t);
    for (int64_t i = 0; i < count; i++) service[i] = power(service[i] * sigma) * median_s;
}

/* ---- words of retries: as sim/traffic/words.py ---- */

static uint64_t mix(uint64_t w) {
    w = (w ^ (w >> 30)) * 0xBF58476D1CE4E5B9u;
    w = (w ^ (w >> 27)) * 0x94D049BB133111EBu;
    return w ^ (w >> 31);
}

static uint64_t keyed(const world *w, int64_t block, int64_t index, int64_t attempt, int64_t purpose) {
    const uint64_t gamma = 0x9E3779B97F4A7C15u;
    uint64_t word = mix(w->key + gamma * (uint64_t)(block + ((int64_t)1 << 40)));
    word = mix(word + gamma * (uint64_t)index);
    return mix(word + gamma * (uint64_t)(attempt * 16 + purpose));
}

static double positive_unit(uint64_t word) { return ((double)(int64_t)(word >> 11) + 1.0) * UNIT_53; }
static inline double high(uint64_t word) { return (double)(int64_t)(word >> 32) * UNIT_32; }
static inline double low(uint64_t word) { return (double)(int64_t)(word & 0xffffffff) * UNIT_32; }

/* ---- the retries to come: a heap by time, then request ---- */

static int before(const retry *a, const retry *b) {
    if (a->at != b->at) return a->at < b->at;
    return a->block != b->block ? a->block < b->block : a->index < b->index;
}

static void push(world *w, retry row) {
    if (w->size == w->room) {
        w->overflowed = 1;
        return;
    }
    int64_t i = w->size++;
    for (; i > 0 && before(&row, &w->heap[(i - 1) / 2]); i = (i - 1) / 2) w->heap[i] = w->heap[(i - 1) / 2];
    w->heap[i] = row;
}

static retry pop(world *w) {
    retry first = w->heap[0], row = w->heap[--w->size];
    int64_t i = 0;
    for (int64_t child; (child = 2 * i + 1) < w->size; i = child) {
        if (child + 1 < w->size && before(&w->heap[child + 1], &w->heap[child])) child++;
        if (!before(&w->heap[child], &row)) break;
        w->heap[i] = w->heap[child];
    }
    w->heap[i] = row;
    return first;
}

/* ---- requests ---- */

/* Row of a window and a group; what comes after the last window is counted in one more that nobody reads. */
static inline int64_t place(const world *w, double at_s, int64_t group) {
    int64_t window = (int64_t)(at_s * (1.0 / w->window_s));
    window += at_s >= (double)(window + 1) * w->window_s;
    window -= at_s < (double)window * w->window_s;
    return MIN(window, w->windows) * GROUPS + group + 1;
}

static void settle(world *w, int64_t group, int status, double at_s, retry row) {
    int64_t *side = w->clients + place(w, at_s, group) * COUNTERS;
    side[TIMEOUTS] += status == LATE;
    if (row.attempt < w->retries && (status == LATE || status == RESET || status == UNAVAILABLE)) {
        side[RETRIES]++;
        row.at = at_s + w->backoff_s * (0.5 + positive_unit(keyed(w, row.block, row.index, row.attempt, 4)));
        row.attempt++;
        push(w, row);
        return;
    }
    side[REQUESTS]++;
    side[FAILURES] += status != OK;
}

static inline int64_t choose(world *w, double at_s, uint64_t pool_pod) {
    while (at_s >= w->begin_s[w->segment + 1]) w->segment++;
    int64_t pool = 2 * w->segment + (high(pool_pod) >= w->below[w->segment]);
    int64_t first = w->from[pool], count = w->from[pool + 1] - first;
    return count ? w->pods[first + (int64_t)(low(pool_pod) * (double)count)] : NOBODY;
}

static inline void attempt(world *w, double at_s, uint64_t pool_pod, double error, double service_s, retry row) {
    int64_t pod = choose(w, at_s, pool_pod);
    if (pod == NOBODY) {
        w->answers[place(w, at_s, NOBODY) * STATUSES + UNAVAILABLE]++;
        settle(w, NOBODY, UNAVAILABLE, at_s, row);
        return;
    }
    double *free_s = w->free_s + pod * (w->servers + 1);
    while (at_s >= w->crash_s[w->next_crash[pod]]) {
        for (int64_t k = 0; k < w->servers; k++) free_s[k] = w->crash_s[w->next_crash[pod]];
        w->next_crash[pod]++;
    }
    double finish = MAX(at_s, free_s[0]) + service_s, crash = w->crash_s[w->next_crash[pod]];
    for (int64_t k = 0; k < w->servers; k++) free_s[k] = MIN(MAX(free_s[k], finish), free_s[k + 1]);
    int status = error < w->error_share ? ERROR : OK;
    if (finish >= crash) {
        finish = crash;
        status = RESET;
    }
    int64_t group = w->group[pod], here = place(w, finish, group), bucket = 0;
    double latency = finish - at_s, deadline = at_s + w->timeout_s;
    for (int64_t k = 0; k < w->bounds; k++) bucket += w->bounds_s[k] < latency;
    w->answers[here * STATUSES + status]++;
    w->buckets[here * (w->bounds + 1) + bucket]++;
    if (status == OK && finish <= deadline)
        w->clients[here * COUNTERS + REQUESTS]++;
    else if (finish <= deadline)
        settle(w, group, status, finish, row);
    else
        settle(w, group, LATE, deadline, row);
}

static void again(world *w) {
    retry row = pop(w);
    uint64_t word[4];
    for (int64_t k = 0; k < 4; k++) word[k] = keyed(w, row.block, row.index, row.attempt, k);
    double radius = -log(positive_unit(word[2]));
    double normal = sqrt(2.0 * radius) * cos(2.0 * M_PI * positive_unit(word[3]));
    attempt(w, row.at, word[0], high(word[1]), w->median_s * exp(w->sigma * normal), row);
}

/* Every attempt of a block, and every retry before its end; words are one for each request's class and error, then
 * one for its pool and pod. */
void serve(world *w, int64_t block, int64_t count, const double *times, const uint64_t *words, const double *service,
           double end_s) {
    for (int64_t i = 0; i < count && times[i] < end_s; i++) {
        while (w->size && w->heap[0].at < times[i]) again(w);
        retry row = {times[i], words[i], block, i, 0};
        attempt(w, times[i], words[count + i], low(words[i]), service[i], row);
    }
    while (w->size && w->heap[0].at < end_s) again(w);
}
