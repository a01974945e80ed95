using ShmCheck.Abi;
using ShmCheck.Bench.Calls;
using ShmCheck.Bench.Reporting;
using ShmCheck.Systems.Live;

namespace ShmCheck.Bench.Live;

/// <summary>Behind which calls all figures are read.</summary>
internal enum Observed
{
    /// <summary>Behind none.</summary>
    Never,
    /// <summary>Behind the last of each piece that is handed over.</summary>
    AtEnds,
    /// <summary>Behind each.</summary>
    Always,
}

/// <summary>Makes the calls of a mix on the running kernel in the way of <c>check</c>: an agent
/// makes them, which gets them in pieces and keeps the handles in its registers.</summary>
internal sealed class AgentLoop
{
    private const ulong Page = 4096;
    private static readonly ShmGetFlags Create = new(ShmGetFlags.IPC_CREAT | 0x180);
    private readonly LinuxFactory _linux;
    private readonly MachineConfig _machine;
    private readonly Call[] _calls;
    private readonly Observation _observation = new();

    public AgentLoop(LinuxFactory linux, Mix mix)
    {
        _linux = linux;
        _machine = linux.Capabilities.Adapt(
            new MachineConfig { Profile = linux.Capabilities.Profiles[0] });
        _calls = Translate(mix.Ops);
    }

    /// <summary>Makes all calls once, by a process that has just started.</summary>
    /// <returns>Nanoseconds for each.</returns>
    /// <exception cref="InvalidDataException">A call failed.</exception>
    public double Run(Observed observed)
    {
        using var system = (IPipelinedSystem)_linux.Start(_machine);
        system.Observe(_observation);
        var pieces = _calls.Chunk(_linux.Capabilities.MostCallsAhead)
            .Select(piece => (SubmittedCall[])[.. piece.Select((call, at) => new SubmittedCall(
                call, IsObserved(observed, at + 1 == piece.Length)))])
            .ToList();
        return SideBySide.Time(_calls.Length, () =>
        {
            foreach (SubmittedCall[] piece in pieces)
            {
                Make(system, piece);
            }
        });
    }

    private void Make(IPipelinedSystem system, SubmittedCall[] piece)
    {
        system.Submit(piece);
        foreach ((Call call, bool observed) in piece)
        {
            if (system.Take(call) is not { Succeeded: true })
            {
                throw new InvalidDataException($"the agent's {call} failed");
            }

            if (observed)
            {
                system.Observe(_observation);
            }
        }
    }

    private static bool IsObserved(Observed observed, bool last) =>
        observed == Observed.Always || (observed == Observed.AtEnds && last);

    /// <summary>Each call that binds a handle binds a new one.</summary>
    private static Call[] Translate(Op[] ops)
    {
        var segments = new Dictionary<int, SegmentHandle>();
        var attaches = new Dictionary<int, MappingHandle>();
        int made = 0;
        int attached = 0;
        return [.. ops.Select(op => op.Kind switch
        {
            OpKind.Get => new ShmGet(ProcessHandle.First, ShmKey.Private, (ulong)op.B * Page,
                Create, segments[op.A] = new SegmentHandle(++made)),
            OpKind.At => new ShmAt(ProcessHandle.First, segments[op.B], AddressRef.Null, default,
                attaches[op.A] = new MappingHandle(++attached)),
            OpKind.Store => new Store(
                ProcessHandle.First, attaches[op.A], new TouchedPage((ulong)op.B), 1),
            OpKind.Load => new Load(
                ProcessHandle.First, attaches[op.A], new TouchedPage((ulong)op.B)),
            OpKind.Detach => new ShmDt(ProcessHandle.First, attaches[op.A]),
            OpKind.Remove => new ShmCtlRmid(ProcessHandle.First, segments[op.A]),
            OpKind.Stat => new ShmCtlStat(ProcessHandle.First, segments[op.A]),
            OpKind.Info => (Call)new ShmCtlShmInfo(ProcessHandle.First, SegmentRef.Literal(0)),
            _ => throw new NotSupportedException($"{op.Kind} is in no mix of this part"),
        })];
    }
}
