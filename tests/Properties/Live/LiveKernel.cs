using ShmCheck.Abi;
using ShmCheck.Systems.Live;

namespace ShmCheck.Properties.Live;

/// <summary>The tests that have the machine to themselves, one after the other.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LiveKernel : ICollectionFixture<LiveKernel>, IDisposable
{
    public const string Name = "live kernel";

    private LinuxFactory? _linux;

    /// <summary>How long to wait for a machine that another process checks.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromMinutes(5);

    /// <summary>The running kernel, with a synchronous swap device.</summary>
    internal LinuxFactory Linux =>
        _linux ??= new LinuxFactory(new LinuxOptions { LockPatience = Patience });

    /// <summary>Gives the machine back; the next use takes it again.</summary>
    public void Release()
    {
        _linux?.Dispose();
        _linux = null;
    }

    public void Dispose() => Release();
}

/// <summary>A kernel without its defect in the resident pages of huge segments: Linux 6.13 to 7.2
/// multiplies them by the base pages of a huge page twice (ipc/shm.c:shm_add_rss_swap). Any other
/// wrong value shows.</summary>
internal sealed class WithoutHugeRssDefect(ISystemFactory kernel) : ISystemFactory
{
    public string Name => kernel.Name;

    public SystemCapabilities Capabilities => kernel.Capabilities;

    public ISystemUnderTest Start(MachineConfig config) =>
        new Corrected(kernel.Start(config), config.PagesPerHugePage);

    /// <summary>No run has as many resident base pages as one huge page is said to have, so that
    /// the huge pages in a sum can be told.</summary>
    private static ulong Correct(ulong pages, ulong factor) =>
        (pages % (factor * factor)) + (pages / (factor * factor) * factor);

    private sealed class Corrected(ISystemUnderTest system, ulong factor) : ISystemUnderTest
    {
        public int FirstPid => system.FirstPid;

        public long Clock => system.Clock;

        public Reply Execute(Call call, Bindings bindings)
        {
            Reply reply = system.Execute(call, bindings);
            return reply is Reply.Value { Data: ShmTotals totals } value
                ? value with { Data = totals with { Resident = Correct(totals.Resident, factor) } }
                : reply;
        }

        public void Observe(Observation observation)
        {
            system.Observe(observation);
            for (int row = 0; row < observation.Segments.Count; row++)
            {
                ref ulong rss = ref observation.Segments[row][(int)SegmentField.rss];
                rss = Correct(rss, factor);
            }

            for (int row = 0; row < observation.Namespaces.Count; row++)
            {
                ref ulong rss = ref observation.Namespaces[row][(int)NamespaceField.shm_rss];
                rss = Correct(rss, factor);
            }
        }

        public void Dispose() => system.Dispose();
    }
}
