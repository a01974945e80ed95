namespace ShmCheck.Properties.Support;

/// <summary>The seed of random tests: SHMCHECK_SEED draws others than the usual ones.</summary>
internal static class TestSeed
{
    public static ulong Value { get; } = ulong.TryParse(
        Environment.GetEnvironmentVariable("SHMCHECK_SEED"), out ulong seed) ? seed : 1;
}
