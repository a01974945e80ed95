using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>What a call came to, in one word, as the kernel returns it: the highest 4095 values
/// are failures, all others, addresses of the upper half among them, are results.</summary>
/// <param name="Word">The result, the negated errno, or the negated signal number beyond all
/// errnos.</param>
public readonly record struct Outcome(long Word)
{
    /// <summary>MAX_ERRNO.</summary>
    private const long LastFailure = 4095;

    /// <summary>No errno is as high, and all signals fit behind.</summary>
    private const long SignalBase = 4000;

    /// <summary>The call succeeded with value 0.</summary>
    public static Outcome Zero => default;

    /// <summary>The touch was a bus error.</summary>
    public static Outcome BusError => new(-SignalBase - (long)Signal.SIGBUS);

    /// <summary>The touch was a segmentation violation.</summary>
    public static Outcome SegmentationFault => new(-SignalBase - (long)Signal.SIGSEGV);

    /// <summary>The call succeeded.</summary>
    public bool Succeeded => Word is >= 0 or < -LastFailure;

    /// <summary>Why the call failed; <see cref="Errno.None"/> when it succeeded or raised a
    /// signal.</summary>
    public Errno Errno => Word is < 0 and > -SignalBase ? (Errno)(-Word) : Errno.None;

    /// <summary>The signal that the touch raised, if any.</summary>
    public Signal Signal =>
        Word is < -SignalBase and >= -LastFailure ? (Signal)(-Word - SignalBase) : Signal.None;

    /// <summary>A failed call, or for <see cref="Errno.None"/> one that returned 0.</summary>
    public static implicit operator Outcome(Errno errno) => FromErrno(errno);

    /// <summary>A failed call, or for <see cref="Errno.None"/> one that returned 0.</summary>
    public static Outcome FromErrno(Errno errno) => new(-(long)errno);

    /// <summary>A call that returned an address.</summary>
    public static Outcome At(ulong address) => new((long)address);
}
