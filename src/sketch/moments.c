/*
 * Moments in one pass, see sketch.h. Formulas: P. Pébay, "Formulas for Robust, One-Pass Parallel
 * Computation of Covariances and Arbitrary-Order Statistical Moments", Sandia report SAND2008-6212,
 * section 3.
 */
#include "sketch/sketch.h"

#include <math.h>

void moments_merge(struct moments *to, const struct moments *from)
{
    if (from->count == 0)
        return;
    if (to->count == 0) {
        *to = *from;
        return;
    }
    double a = (double)to->count, b = (double)from->count, n = a + b;
    double d = from->mean - to->mean, d2 = d * d;
    double m4 = to->m4 + from->m4 + d2 * d2 * a * b * (a * a - a * b + b * b) / (n * n * n) +
                6 * d2 * (a * a * from->m2 + b * b * to->m2) / (n * n) +
                4 * d * (a * from->m3 - b * to->m3) / n;
    double m3 = to->m3 + from->m3 + d * d2 * a * b * (a - b) / (n * n) +
                3 * d * (a * from->m2 - b * to->m2) / n;
    to->m2 += from->m2 + d2 * a * b / n;
    to->m3 = m3;
    to->m4 = m4;
    to->mean += d * b / n;
    to->count += from->count;
}

void moments_add(struct moments *m, double value, uint64_t times)
{
    moments_merge(m, &(struct moments){ .count = times, .mean = value });
}

double moments_variance(const struct moments *m)
{
    return m->count < 2 ? 0 : m->m2 / (double)(m->count - 1);
}

double moments_skewness(const struct moments *m)
{
    if (m->count == 0 || m->m2 <= 0)
        return 0;
    double n = (double)m->count;
    return m->m3 / n / pow(m->m2 / n, 1.5);
}

double moments_kurtosis(const struct moments *m)
{
    if (m->count == 0 || m->m2 <= 0)
        return 0;
    double n = (double)m->count, variance = m->m2 / n;
    return m->m4 / n / (variance * variance) - 3;
}
