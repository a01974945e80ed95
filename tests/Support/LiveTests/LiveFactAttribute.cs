using Xunit;
using Xunit.Sdk;

namespace ShmCheck.LiveTests;

/// <summary>A test of a live system. Where the machine lacks something it needs, it is skipped
/// and says why; where <see cref="LiveMachine.RequireVariable"/> is 1, it fails instead.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("ShmCheck.LiveTests.LiveFactDiscoverer", "ShmCheck.LiveTests")]
public class LiveFactAttribute : FactAttribute, ILiveAttribute
{
    /// <summary>A test that needs all of <paramref name="needs"/>.</summary>
    public LiveFactAttribute(params LiveNeed[] needs)
        : this(LiveVerdict.Of(needs, LiveMachine.Here.Lack, LiveMachine.RequiresLive))
    {
    }

    /// <summary>A test whose fate is known.</summary>
    protected LiveFactAttribute(LiveVerdict verdict)
    {
        Verdict = verdict;
        Skip = (verdict as LiveVerdict.Skip)?.Reason;
    }

    /// <inheritdoc/>
    public LiveVerdict Verdict { get; }
}
