using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Harness.Checking;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Checking;

/// <summary>The specification as a system that takes calls ahead, and that can be wrong.</summary>
internal sealed class PipelinedSpecification(ISystemUnderTest system, CallKind? wrong)
    : IPipelinedSystem, ISharesMemory
{
    private readonly Queue<SubmittedCall> _calls = new();
    private readonly Bindings _bindings = new();
    private long _clock = system.Clock;

    /// <summary>Starts such systems.</summary>
    public sealed class Factory(CallKind? wrong, int ahead = 7, int handles = 1000) : ISystemFactory
    {
        /// <summary>A figure that is one too high behind every call that is made ahead of
        /// another one, and that the system says it shows late.</summary>
        public GlobalField? Late { get; set; }

        /// <summary>Starts the system that takes the calls in the end.</summary>
        public ISystemFactory Inner { get; init; } = SpecSystem.Factory;

        /// <summary>Whether the clock is seen with the figures only.</summary>
        public bool ShowsClockLate { get; set; }

        /// <summary>How often a call is refused with ENOMEM that should succeed.</summary>
        public (CallKind Call, int Times) Refused { get; set; }

        /// <summary>How often it is lost within a call.</summary>
        public (CallKind Call, int Times) Lost { get; set; }

        /// <summary>Whether it is lost when a run ends.</summary>
        public bool IsLostAfterwards { get; init; }

        /// <summary>Whether it says that it had no memory for a huge page.</summary>
        public bool LacksHugePages { get; set; }

        /// <summary>Pieces handed over.</summary>
        public int Pieces { get; set; }

        /// <summary>Calls made one by one.</summary>
        public int Single { get; set; }

        public string Name => "pipelined";

        public SystemCapabilities Capabilities => Inner.Capabilities with
        {
            MostCallsAhead = ahead,
            MostHandlesAhead = handles,
            Injections = [],
            LateUnlockSource = "ipc/namespace.c:free_ipc",
            HugePageShortageSource = "mm/hugetlb.c:alloc_buddy_hugetlb_folio",
            CanBeAsked = call => call.Injection is null,
            Precisions = Late is { } late
                ? ImmutableDictionary<Enum, Precision>.Empty.Add(
                    late, new Precision(PrecisionKind.Eventual, 0, "mm/swapfile.c"))
                : ImmutableDictionary<Enum, Precision>.Empty,
        };

        public ISystemUnderTest Start(MachineConfig config)
        {
            var system = new PipelinedSpecification(Inner.Start(config), wrong)
            {
                Owner = this,
            };
            system._bindings.Bind(ProcessHandle.First, system.FirstPid);
            return system;
        }
    }

    private Factory Owner { get; init; } = null!;

    public int FirstPid => system.FirstPid;

    public bool LacksHugePages => Owner.LacksHugePages;

    public long Clock => Owner.ShowsClockLate ? _clock : system.Clock;

    public long LatestClock => system.Clock;

    public void Submit(IReadOnlyList<SubmittedCall> calls)
    {
        Assert.Empty(_calls);
        Owner.Pieces++;
        foreach (SubmittedCall call in calls)
        {
            _calls.Enqueue(call);
        }
    }

    public Reply? Take(Call call)
    {
        SubmittedCall next = _calls.Dequeue();
        Assert.Same(next.Call, call);
        return _bindings.AreBound(call) ? Make(call, _bindings) : null;
    }

    public Reply Execute(Call call, Bindings bindings)
    {
        Owner.Single++;
        return Make(call, bindings);
    }

    public void Observe(Observation observation)
    {
        system.Observe(observation);
        _clock = system.Clock;
        if (_calls.Count > 0 && Owner.Late is { } late)
        {
            observation.Global[0][(int)late]++;
        }
    }

    public void Dispose()
    {
        system.Dispose();
        if (Owner.IsLostAfterwards)
        {
            throw Gone();
        }
    }

    private static AgentDiedException Gone() => new("gone; it said: Kernel panic");

    private Reply Make(Call call, Bindings bindings)
    {
        if (call.Kind == Owner.Refused.Call && Owner.Refused.Times > 0)
        {
            Owner.Refused = Owner.Refused with { Times = Owner.Refused.Times - 1 };
            return Reply.Of(Errno.ENOMEM);
        }

        if (call.Kind == Owner.Lost.Call && Owner.Lost.Times > 0)
        {
            Owner.Lost = Owner.Lost with { Times = Owner.Lost.Times - 1 };
            throw Gone();
        }

        Reply reply = system.Execute(call, bindings);
        _bindings.Bind(call, reply);
        return call.Kind == wrong && reply.Succeeded ? Reply.Of(Errno.EFAULT) : reply;
    }
}
