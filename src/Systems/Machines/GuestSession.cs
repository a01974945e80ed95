using System.Collections.Immutable;
using ShmCheck.Abi;
using ShmCheck.Systems.Live;

namespace ShmCheck.Systems.Machines;

/// <summary>A running guest, and what of it can be checked. One that was lost is booted again.
/// </summary>
internal sealed class GuestSession : IAgentHost, IDisposable
{
    /// <summary>Time in which a call must return.</summary>
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(15);

    private readonly ImmutableArray<string> _command;
    private readonly TimeSpan _bootLimit;
    private readonly string _swap;
    private AgentProcess? _agent;

    /// <summary>Boots a guest.</summary>
    /// <param name="guest">Which.</param>
    /// <param name="cache">Where agents and kernels are kept.</param>
    /// <exception cref="SystemUnavailableException">It cannot be had.</exception>
    /// <exception cref="AgentLostException">It does not come up.</exception>
    public GuestSession(Guest guest, string cache)
    {
        _command = guest.CommandLine(cache);
        _swap = guest.SwapDevice;
        _bootLimit = guest.BootLimit;
        Said = Announcement.AskOf(Agent);
        Features = FeaturesOf(Said, Agent.PageSize, Ask("swap", _swap, 0) ? null
            : new Lack("swap", $"there is no {_swap}", "a kernel with the driver of it"));
    }

    /// <summary>What the agent says of the guest.</summary>
    public Announcement Said { get; }

    /// <summary>What can be checked.</summary>
    public LinuxFeatures Features { get; }

    /// <inheritdoc/>
    public AgentProcess Agent => _agent ??= StartAgent();

    /// <inheritdoc/>
    public bool OwnsHugePages => Features.HugePages is null;

    /// <inheritdoc/>
    public bool OwnsSwap => Features.Swap is null;

    /// <inheritdoc/>
    public bool OwnsMemory => true;

    /// <inheritdoc/>
    public bool MachineGoesWithAgent => true;

    /// <inheritdoc/>
    public string? Prepare(MachineConfig machine)
    {
        if (OwnsSwap)
        {
            Order("swap", _swap, machine.SwapSlots);
        }

        if (OwnsHugePages)
        {
            Order("sysctl", "vm.nr_overcommit_hugepages", machine.NrOvercommitHugePages);
            Order("sysctl", "vm.nr_hugepages", machine.HugePages);
            Order("sysctl", "vm.hugetlb_shm_group", (ulong)machine.HugetlbShmGroup);
        }

        Order("sysctl", "vm.overcommit_ratio", (ulong)machine.OvercommitRatio);
        Order("sysctl", "vm.overcommit_memory", (ulong)machine.Overcommit);
        return machine.SwapSlots > 0 ? _swap : null;
    }

    /// <inheritdoc/>
    /// <remarks>What a run leaves behind goes with the guest.</remarks>
    public void EmptySwap()
    {
    }

    /// <inheritdoc/>
    public void ForgetAgent()
    {
        _agent?.Dispose();
        _agent = null;
    }

    /// <inheritdoc/>
    public void Dispose() => ForgetAgent();

    private static LinuxFeatures FeaturesOf(
        Announcement said, ulong pageSize, Lack? lackOfSwap) => new()
    {
        Release = said.Release ?? "unknown",
        PageSize = pageSize,
        TotalPages = said.Memory ?? 0,
        HugePageSize = said.HugePageSizes.FirstOrDefault(),
        OtherHugePageSizes = [.. said.HugePageSizes.Skip(1)],
        HugePages = !said.HugePageSizes.IsEmpty ? null
            : new Lack("huge pages", "the kernel has none", "a kernel with CONFIG_HUGETLBFS"),
        Swap = lackOfSwap,
    };

    private AgentProcess StartAgent()
    {
        AgentProcess agent = AgentProcess.Start(_command, 2 * CallLimit, _bootLimit);
        _agent = agent;
        Order("limit", null, (ulong)CallLimit.TotalMilliseconds);
        return agent;
    }

    private void Order(string operation, string? name, ulong value)
    {
        if (!Ask(operation, name, value))
        {
            throw new SystemUnavailableException($"the guest refuses {operation} {name} {value}");
        }
    }

    /// <returns>Whether the guest does it.</returns>
    private bool Ask(string operation, string? name, ulong value)
    {
        AgentProcess agent = Agent;
        var lines = new LineWriter();
        LineWriter line = lines.Line(CallWriter.Controller, operation);
        (name is null ? line : line.Word(name)).Number(value).End();
        agent.Send(lines.Written);
        return agent.ReadLine().StartsWith("ok"u8);
    }
}
