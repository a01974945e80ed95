using System.Runtime.CompilerServices;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Allocators;

/// <summary>Our slot allocator for several threads, used by one.</summary>
internal sealed unsafe class SharedWord : IBatchAllocator
{
    private readonly WordMemory _memory = new();
    private readonly SharedSlotMap _slots;
    private SharedSlotMap.Magazine _magazine;

    public SharedWord(int frames)
    {
        _slots = new SharedSlotMap(frames, _memory);
        _magazine = _slots.NewMagazine();
    }

    public long Bytes => _memory.Bytes;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Take(Span<int> got)
    {
        SharedSlotMap.Magazine magazine = _magazine;
        for (int i = 0; i < got.Length; i++)
        {
            got[i] = _slots.Take(ref magazine);
        }

        _magazine = magazine;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Give(ReadOnlySpan<int> frames)
    {
        for (int i = 0; i < frames.Length; i++)
        {
            _slots.Give(frames[i]);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Pairs(ReadOnlySpan<int> victims, Span<int> got)
    {
        SharedSlotMap.Magazine magazine = _magazine;
        SharedSlotMap slots = _slots;
        fixed (int* first = victims, to = got[..victims.Length])
        {
            for (nint i = 0; i < victims.Length; i++)
            {
                slots.Give(first[i]);
                to[i] = slots.Take(ref magazine);
            }
        }

        _magazine = magazine;
    }

    public void Dispose() => _memory.Dispose();
}
