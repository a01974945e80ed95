namespace ShmCheck.Bench.Allocators;

/// <summary>An allocator of frames that is measured by whole batches.</summary>
internal interface IBatchAllocator : IDisposable
{
    /// <summary>Bytes of its books.</summary>
    long Bytes { get; }

    /// <summary>Takes frames, one by one; -1 for each that is not to be had.</summary>
    void Take(Span<int> got);

    /// <summary>Gives frames back, one by one.</summary>
    void Give(ReadOnlySpan<int> frames);

    /// <summary>Gives one back and takes another, again and again.</summary>
    void Pairs(ReadOnlySpan<int> victims, Span<int> got);
}

/// <summary>One that has aligned runs of 512 frames too, by number.</summary>
internal interface IRunAllocator : IBatchAllocator
{
    void TakeRuns(Span<int> got);

    void GiveRuns(ReadOnlySpan<int> runs);

    void PairRuns(ReadOnlySpan<int> victims, Span<int> got);
}
