namespace ShmCheck.Abi;

/// <summary>A system whose books are checked: an implementation in this process, the running
/// kernel, a kernel in a virtual machine, a program behind a pipe.</summary>
/// <remarks>One object is one machine from its start to its end; <see cref="ISystemFactory"/>
/// starts them. Calls come one at a time.</remarks>
public interface ISystemUnderTest : IDisposable
{
    /// <summary>Pid of the first process, <c>p1</c>.</summary>
    int FirstPid { get; }

    /// <summary>Seconds of the clock that the system's time stamps are taken from. A system with
    /// a clock of its own lets it advance before and after each call, so that no two calls share
    /// a second.</summary>
    long Clock { get; }

    /// <summary>A bound for stamps taken so far, in seconds: above <see cref="Clock"/> where a
    /// system shows its clock with its figures only, and those were not looked at since.</summary>
    long LatestClock => Clock;

    /// <summary>Executes a call all of whose handles are bound, whose caller is alive and not
    /// waiting for a vfork child.</summary>
    /// <param name="call">The call, one of those the system declares.</param>
    /// <param name="bindings">What its handles stand for.</param>
    /// <returns>The reply. A call that the system cannot even try is an error of the caller:
    /// <see cref="NotSupportedException"/>.</returns>
    /// <exception cref="CallNotPossibleException">The call cannot be made as things stand, and
    /// has not been made.</exception>
    Reply Execute(Call call, Bindings bindings);

    /// <summary>Fills in every figure the system shows.</summary>
    /// <param name="observation">Cleared and filled.</param>
    void Observe(Observation observation);
}

/// <summary>A system whose swap device other programs use too.</summary>
public interface ISharesSwap
{
    /// <summary>Pages that anybody has written to swap since the start, those of the system
    /// included: no more slots can be somebody else's.</summary>
    ulong WrittenToSwap { get; }
}

/// <summary>A system whose pool of huge pages grows out of memory that other programs use too.
/// </summary>
public interface ISharesMemory
{
    /// <summary>Whether memory for a huge page was refused since the start.</summary>
    bool LacksHugePages { get; }
}

/// <summary>Starts machines of one kind.</summary>
public interface ISystemFactory
{
    /// <summary>Name, as on the command line: <c>impl</c>, <c>linux</c>.</summary>
    string Name { get; }

    /// <summary>What such a machine can do and show.</summary>
    SystemCapabilities Capabilities { get; }

    /// <summary>Starts a machine.</summary>
    /// <param name="config">What it looks like.</param>
    /// <exception cref="SystemOutOfReachException">There is no such system, or none any more.
    /// </exception>
    ISystemUnderTest Start(MachineConfig config);
}

/// <summary>A system whose whole state can be saved, compared and taken back.</summary>
public interface ICheckpointable
{
    /// <summary>Marks the present state, to come back to it by <see cref="RollBack"/>. Marks nest:
    /// the last one set is the first one to be used.</summary>
    void Mark();

    /// <summary>Returns to the last mark and removes it. Costs what has changed since.</summary>
    void RollBack();

    /// <summary>Removes the last mark and keeps what has changed since.</summary>
    void Commit();

    /// <summary>Appends bytes that two machines have in common exactly when no sequence of calls
    /// can tell them apart, hidden cursors included.</summary>
    void WriteCanonical(System.Buffers.IBufferWriter<byte> bytes);

    /// <summary>Appends the same bytes for machines that differ in the order of their processes
    /// or segments only, when each is given the order that makes them alike.</summary>
    /// <param name="bytes">Where to.</param>
    /// <param name="processes">The processes in the order in which they are written, each by its
    /// place in the order of pids, from 0.</param>
    /// <param name="segments">The segments likewise, each by its place in the order of namespaces
    /// and table indices.</param>
    void WriteCanonical(
        System.Buffers.IBufferWriter<byte> bytes, ReadOnlySpan<int> processes,
        ReadOnlySpan<int> segments);

    /// <summary>The whole state as bytes.</summary>
    byte[] Save();

    /// <summary>Becomes the machine that <see cref="Save"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are not a saved state.</exception>
    void Restore(ReadOnlySpan<byte> saved);
}
