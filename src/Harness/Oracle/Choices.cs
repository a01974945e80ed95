using ShmCheck.Abi;
using ShmCheck.Spec;

namespace ShmCheck.Harness.Oracle;

/// <summary>Resolves what Linux may choose from what the log shows.</summary>
internal sealed class LogChoices : IChoices
{
    private readonly CanonicalChoices _own = new();

    /// <summary>What the call returned, if the log shows a value.</summary>
    public long? Result { get; set; }

    /// <summary>Id of the task that the call made.</summary>
    public int Child { get; set; }

    /// <summary>The identifier follows from the state.</summary>
    public bool PredictsIdentifiers { get; set; }

    /// <summary>The namespace before a segment is made.</summary>
    public IpcNamespace? Namespace { get; set; }

    /// <inheritdoc/>
    public int Identifier(int predicted, Func<int, bool> admissible) =>
        !PredictsIdentifiers && Result is >= 0 and <= int.MaxValue and long id
            && admissible((int)id) && Follows(new ShmId((int)id)) ? (int)id : predicted;

    /// <inheritdoc/>
    public ulong Place(Room room) =>
        Result is { } address && room.Admissible(unchecked((ulong)address))
            ? unchecked((ulong)address) : _own.Place(room);

    /// <inheritdoc/>
    public int Pid(int predicted, Func<int, bool> admissible) =>
        admissible(Child) ? Child : Enumerable.Range(predicted, int.MaxValue - predicted)
            .First(admissible);

    /// <inheritdoc/>
    public bool Fails(Injection injection) => false;

    /// <summary>Whether an identifier can come after the last one, whatever segments there are
    /// that have not been seen: within a sequence number indices ascend.</summary>
    private bool Follows(ShmId id)
    {
        IpcNamespace ns = Namespace!;
        if (ns.LastIndex < 0)
        {
            return true;
        }

        int next = (ns.Sequence + 1) % (int.MaxValue >> ShmId.IndexBits);
        return id.Sequence == (id.Index > ns.LastIndex ? ns.Sequence : next);
    }
}
