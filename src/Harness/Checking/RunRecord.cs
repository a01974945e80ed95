using ShmCheck.Abi;
using ShmCheck.Harness.Ledgers;

namespace ShmCheck.Harness.Checking;

/// <summary>What a run did: the calls with the replies that the specification gives them, and
/// how it ended.</summary>
public sealed class RunRecord
{
    private readonly List<Call> _calls = [];
    private readonly List<Reply?> _replies = [];
    private readonly List<Call> _sent = [];

    /// <summary>The machine.</summary>
    public MachineConfig Machine { get; private set; } = new();

    /// <summary>The known divergences that were counted instead of found.</summary>
    public Ledger? Ledger { get; private set; }

    /// <summary>Every call that was drawn, skipped ones included.</summary>
    public IReadOnlyList<Call> Calls => _calls;

    /// <summary>For each call the specification's reply; null when it was skipped.</summary>
    public IReadOnlyList<Reply?> Replies => _replies;

    /// <summary>Calls that a lost system had been sent behind the one without an answer: any of
    /// them may have been made.</summary>
    public IReadOnlyList<Call> Sent => _sent;

    /// <summary>The same calls made ahead, in which the system was lost, where they diverged
    /// otherwise when they were made one by one: two findings.</summary>
    public RunRecord? LostAhead { get; internal set; }

    /// <summary>What the handles stood for at the end.</summary>
    public Bindings Bindings { get; } = new();

    /// <summary>Calls that were executed on both sides and compared.</summary>
    public int Compared { get; private set; }

    /// <summary>Calls behind which every figure was looked at.</summary>
    public int Observed { get; private set; }

    /// <summary>Time that the system took to show its figures.</summary>
    public TimeSpan ObservationTime { get; private set; }

    /// <summary>What the system showed otherwise and was let pass.</summary>
    public Allowances Allowances { get; } = new();

    /// <summary>How the system departed from the specification, if it did. The last call is the
    /// one at which it did.</summary>
    public Divergence? Divergence { get; internal set; }

    /// <summary>A record of its own with the same content.</summary>
    public RunRecord Copy()
    {
        var copy = new RunRecord();
        copy.CopyFrom(this);
        return copy;
    }

    /// <summary>Becomes the same as another record.</summary>
    internal void CopyFrom(RunRecord other)
    {
        Start(other.Machine, other.Ledger);
        Compared = other.Compared;
        Observed = other.Observed;
        ObservationTime = other.ObservationTime;
        Divergence = other.Divergence;
        LostAhead = other.LostAhead;
        _calls.AddRange(other._calls);
        _replies.AddRange(other._replies);
        _sent.AddRange(other._sent);
        Bindings.CopyFrom(other.Bindings);
        Allowances.Add(other.Allowances);
    }

    internal void Start(MachineConfig machine, Ledger? ledger)
    {
        Machine = machine;
        Ledger = ledger;
        _calls.Clear();
        _replies.Clear();
        _sent.Clear();
        Bindings.Clear();
        Compared = 0;
        Observed = 0;
        ObservationTime = TimeSpan.Zero;
        Allowances.Clear();
        Divergence = null;
        LostAhead = null;
    }

    internal void AddObservation(TimeSpan cost)
    {
        Observed++;
        ObservationTime += cost;
    }

    internal void AddSent(IEnumerable<Call> calls) => _sent.AddRange(calls);

    internal void Add(Call call, Reply? reply)
    {
        _calls.Add(call);
        _replies.Add(reply);
        Compared += reply is null ? 0 : 1;
    }
}
