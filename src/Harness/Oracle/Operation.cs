using ShmCheck.Abi;
using ShmCheck.Abi.Recordings;

namespace ShmCheck.Harness.Oracle;

/// <summary>What an operation is.</summary>
internal enum OperationKind
{
    /// <summary>A system call.</summary>
    Call,
    /// <summary>The end of a task.</summary>
    Exit,
}

/// <summary>Something that takes effect at one moment between two events of a log.</summary>
/// <param name="Number">Number among the operations.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Task">The task that acts: a thread id.</param>
/// <param name="Call">The call; of the end of a task the call that ended it, if there is one.
/// </param>
/// <param name="From">Number of the event before which it cannot have taken effect.</param>
/// <param name="To">Number of the event by which it has.</param>
internal sealed record Operation(
    int Number, OperationKind Kind, int Task, StraceCall? Call, long From, long To)
{
    /// <summary>Task id of a child that the call makes; 0 for none.</summary>
    public int Child { get; init; }

    /// <summary>When it takes effect.</summary>
    public Stamp Span => new(From, To);

    /// <summary>Whether other tasks' operations can have taken effect during it.</summary>
    public bool IsSplit => From != To;
}
