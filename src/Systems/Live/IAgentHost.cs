using ShmCheck.Abi;

namespace ShmCheck.Systems.Live;

/// <summary>Where the runs of an agent happen: keeps the agent from run to run, and makes the
/// machine that it is on what a run wants.</summary>
internal interface IAgentHost
{
    /// <summary>The agent; started again when it was lost.</summary>
    AgentProcess Agent { get; }

    /// <summary>Whether the pool of huge pages is in the run's hands alone.</summary>
    bool OwnsHugePages { get; }

    /// <summary>Whether the swap devices are in the run's hands alone.</summary>
    bool OwnsSwap { get; }

    /// <summary>Whether no other program uses the memory of the machine, so that the figures of
    /// it all are looked at behind every call, and are back where they were when a run starts.
    /// </summary>
    bool OwnsMemory { get; }

    /// <summary>Whether another agent means another machine, on which nothing of earlier runs is
    /// left.</summary>
    bool MachineGoesWithAgent { get; }

    /// <summary>Makes the machine what a run wants it to be.</summary>
    /// <returns>The swap device, if the run has one.</returns>
    string? Prepare(MachineConfig machine);

    /// <summary>Empties the swap device of what is nobody's any more.</summary>
    void EmptySwap();

    /// <summary>The agent has been lost: the next use starts another one.</summary>
    void ForgetAgent();
}
