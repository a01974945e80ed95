namespace ShmCheck.Harness.Generating;

/// <summary>A small reproducible source of random numbers (SplitMix64): the same seed gives the
/// same numbers on every machine and version.</summary>
public sealed class Random64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state += 0x9e3779b97f4a7c15;
        ulong z = _state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1.</summary>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (int)Math.BigMul(Next() >> 32 << 32, (ulong)bound, out _);
    }

    /// <summary>True once in <paramref name="times"/>.</summary>
    public bool OneIn(int times) => Below(times) == 0;

    /// <summary>True in <paramref name="percent"/> of 100 cases.</summary>
    public bool Percent(int percent) => Below(100) < percent;

    /// <summary>One of the items.</summary>
    public T Of<T>(ReadOnlySpan<T> items) => items[Below(items.Length)];

    /// <summary>Another source, whose numbers tell nothing of this one's.</summary>
    public Random64 Split() => new(Next() ^ 0x6a09e667f3bcc908);

    /// <summary>A seed made of two numbers.</summary>
    public static ulong Mix(ulong seed, ulong index) =>
        new Random64(seed ^ (index * 0xd1342543de82ef95)).Next();
}
