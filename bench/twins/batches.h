/* The batches of twin.h, over the take and give of the file that includes this behind them. */

void twin_take(void *twin, int32_t n, int32_t *got)
{
	for (int32_t i = 0; i < n; i++)
		got[i] = take(twin);
}

void twin_give(void *twin, int32_t n, const int32_t *frames)
{
	for (int32_t i = 0; i < n; i++)
		give(twin, frames[i]);
}

void twin_pairs(void *twin, int32_t n, const int32_t *victims, int32_t *got)
{
	for (int32_t i = 0; i < n; i++) {
		give(twin, victims[i]);
		got[i] = take(twin);
	}
}
