using System.Numerics;

namespace ShmCheck.Impl;

/// <summary>From the keys of each namespace to segments: chains of segments under hashed keys.
/// </summary>
internal sealed class KeyTable(StateStore store, SegmentTable segments)
{
    private const int BucketBits = 12;
    private const uint Multiplier = 2654435769;
    private readonly Column<int> _buckets = store.NewColumn<int>();

    /// <summary>The segment of a namespace with a key, 0 if none.</summary>
    public int Find(int ns, int key)
    {
        int segment = _buckets[BucketOf(ns, key)];
        while (segment != 0
            && (segments.Key[segment] != key || segments.Namespace[segment] != ns))
        {
            segment = segments.NextInBucket[segment];
        }

        return segment;
    }

    public void Add(int segment)
    {
        int bucket = BucketOf(segment);
        segments.NextInBucket[segment] = _buckets[bucket];
        _buckets[bucket] = segment;
    }

    public void Remove(int segment)
    {
        int bucket = BucketOf(segment);
        int next = segments.NextInBucket[segment];
        if (_buckets[bucket] == segment)
        {
            _buckets[bucket] = next;
            return;
        }

        int before = _buckets[bucket];
        while (segments.NextInBucket[before] != segment)
        {
            before = segments.NextInBucket[before];
        }

        segments.NextInBucket[before] = next;
    }

    private int BucketOf(int segment) =>
        BucketOf(segments.Namespace[segment], segments.Key[segment]);

    private static int BucketOf(int ns, int key) =>
        (int)((BitOperations.RotateLeft((uint)key, 16) + (uint)ns) * Multiplier
            >> (32 - BucketBits));
}
