using Xunit;
using Xunit.Sdk;

namespace ShmCheck.LiveTests;

/// <summary>A theory about a live system; see <see cref="LiveFactAttribute"/>.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("ShmCheck.LiveTests.LiveTheoryDiscoverer", "ShmCheck.LiveTests")]
public class LiveTheoryAttribute : TheoryAttribute, ILiveAttribute
{
    /// <summary>A theory that needs all of <paramref name="needs"/>.</summary>
    public LiveTheoryAttribute(params LiveNeed[] needs)
        : this(LiveVerdict.Of(needs, LiveMachine.Here.Lack, LiveMachine.RequiresLive))
    {
    }

    /// <summary>A theory whose fate is known.</summary>
    protected LiveTheoryAttribute(LiveVerdict verdict)
    {
        Verdict = verdict;
        Skip = (verdict as LiveVerdict.Skip)?.Reason;
    }

    /// <inheritdoc/>
    public LiveVerdict Verdict { get; }
}
