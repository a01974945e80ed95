using ShmCheck.Abi;

namespace ShmCheck.Impl;

/// <summary>What a call came to, in one word, as the kernel returns it: the highest 4095 values
/// are failures, all others, addresses of the upper half among them, are results.</summary>
/// <param name="Word">The result, the negated errno, or the signal number above the lowest of all
/// words, where no page begins.</param>
public readonly record struct Outcome(long Word)
{
    /// <summary>MAX_ERRNO.</summary>
    private const long LastFailure = 4095;

    private const long SignalBase = long.MinValue;
    private const long LastSignal = SignalBase + 64;

    /// <summary>The call succeeded with value 0.</summary>
    public static Outcome Zero => default;

    /// <summary>The touch was a bus error.</summary>
    public static Outcome BusError => new(SignalBase + (long)Signal.SIGBUS);

    /// <summary>The touch was a segmentation violation.</summary>
    public static Outcome SegmentationFault => new(SignalBase + (long)Signal.SIGSEGV);

    /// <summary>The call succeeded.</summary>
    public bool Succeeded => Word is >= 0 or (< -LastFailure and > LastSignal) or SignalBase;

    /// <summary>Why the call failed, a number without a name where the kernel takes an address for
    /// one; <see cref="Errno.None"/> when it succeeded or raised a signal.</summary>
    public Errno Errno => Word is < 0 and >= -LastFailure ? (Errno)(-Word) : Errno.None;

    /// <summary>The signal that the touch raised, if any.</summary>
    public Signal Signal =>
        Word is > SignalBase and <= LastSignal ? (Signal)(Word - SignalBase) : Signal.None;

    /// <summary>A failed call, or for <see cref="Errno.None"/> one that returned 0.</summary>
    public static implicit operator Outcome(Errno errno) => FromErrno(errno);

    /// <summary>A failed call, or for <see cref="Errno.None"/> one that returned 0.</summary>
    public static Outcome FromErrno(Errno errno) => new(-(long)errno);

    /// <summary>A call that returned an address, which reads as a failure if it is one of the
    /// highest.</summary>
    public static Outcome At(ulong address) => new((long)address);
}
