using System.Numerics;

namespace ShmCheck.Impl;

/// <summary>From the keys of each namespace to segments: chains of segments under hashed keys, in
/// as many buckets as there are segments. Each segment more than buckets splits one of them in two
/// (linear hashing), so that no call ever has to move all.</summary>
internal sealed class KeyTable(StateStore store, SegmentTable segments)
{
    private const ulong Multiplier = 0x9e37_79b9_7f4a_7c15;
    private readonly Column<int> _buckets = store.NewColumn<int>();
    private readonly Scalar _count = store.NewScalar();
    private readonly Scalar _splits = store.NewScalar();

    /// <summary>The segment of a namespace with a key, 0 if none.</summary>
    public int Find(int ns, int key)
    {
        int segment = _buckets[BucketOf(ns, key)];
        while (segment != 0
            && (segments[segment].Key != key || segments[segment].Namespace != ns))
        {
            segment = segments[segment].NextInBucket;
        }

        return segment;
    }

    public void Add(int segment)
    {
        Push(BucketOf(segment), segment);
        if (++_count.Value > _splits.Value + 1)
        {
            Split();
        }
    }

    public void Remove(int segment)
    {
        _count.Value--;
        int bucket = BucketOf(segment);
        int next = segments[segment].NextInBucket;
        if (_buckets[bucket] == segment)
        {
            _buckets[bucket] = next;
            return;
        }

        int before = _buckets[bucket];
        while (segments[before].NextInBucket != segment)
        {
            before = before != 0 ? segments[before].NextInBucket
                : throw new InvalidOperationException($"segment {segment} has lost its bucket");
        }

        segments.Change(before).NextInBucket = next;
    }

    /// <summary>Adds a bucket, and gives it what of another one belongs there now.</summary>
    private void Split()
    {
        int added = (int)++_splits.Value;
        int old = added - (int)BitOperations.RoundUpToPowerOf2((uint)added + 1) / 2;
        int segment = _buckets[old];
        _buckets[old] = 0;
        _buckets[added] = 0;
        while (segment != 0)
        {
            int next = segments[segment].NextInBucket;
            Push(BucketOf(segment), segment);
            segment = next;
        }
    }

    private void Push(int bucket, int segment)
    {
        segments.Change(segment).NextInBucket = _buckets[bucket];
        _buckets[bucket] = segment;
    }

    private int BucketOf(int segment) =>
        BucketOf(segments[segment].Namespace, segments[segment].Key);

    /// <summary>As many bits of the hash as number all buckets, or one less for those that the
    /// next splits are to make.</summary>
    private int BucketOf(int ns, int key)
    {
        uint last = (uint)_splits.Value;
        uint hash = (uint)(((ulong)(uint)ns << 32 | (uint)key) * Multiplier >> 32);
        uint mask = BitOperations.RoundUpToPowerOf2(last + 1) - 1;
        return (int)((hash & mask) <= last ? hash & mask : hash & (mask >> 1));
    }
}
