using System.Runtime.CompilerServices;
using ShmCheck.Impl;

namespace ShmCheck.Bench.Allocators;

/// <summary>Our slot allocator in plain memory.</summary>
internal sealed unsafe class CachedWord : IBatchAllocator
{
    private readonly WordMemory _memory = new();
    private SlotMap<NativeWords, FieldCell> _slots;

    public CachedWord(int frames)
    {
        _slots = new SlotMap<NativeWords, FieldCell>(frames, _memory.NewWords, () => default);
    }

    public long Bytes => _memory.Bytes;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Take(Span<int> got)
    {
        ref SlotMap<NativeWords, FieldCell> map = ref _slots;
        for (int i = 0; i < got.Length; i++)
        {
            got[i] = map.Take();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Give(ReadOnlySpan<int> frames)
    {
        ref SlotMap<NativeWords, FieldCell> map = ref _slots;
        for (int i = 0; i < frames.Length; i++)
        {
            map.Give(frames[i]);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Pairs(ReadOnlySpan<int> victims, Span<int> got)
    {
        ref SlotMap<NativeWords, FieldCell> map = ref _slots;
        fixed (int* first = victims, to = got[..victims.Length])
        {
            for (nint i = 0; i < victims.Length; i++)
            {
                map.Give(first[i]);
                to[i] = map.Take();
            }
        }
    }

    public void Dispose() => _memory.Dispose();
}
