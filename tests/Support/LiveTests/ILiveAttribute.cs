using Xunit.Abstractions;
using Xunit.Sdk;

namespace ShmCheck.LiveTests;

/// <summary>What the attributes of live tests have in common.</summary>
public interface ILiveAttribute
{
    /// <summary>What becomes of the test on this machine.</summary>
    LiveVerdict Verdict { get; }

    /// <summary>The test case of a test that has to fail without running.</summary>
    /// <returns>Null when it may run, or is skipped.</returns>
    internal static IXunitTestCase? FailureOf(
        IMessageSink messageSink,
        ITestFrameworkDiscoveryOptions options,
        ITestMethod testMethod,
        IAttributeInfo factAttribute)
    {
        ILiveAttribute live = (ILiveAttribute)((IReflectionAttributeInfo)factAttribute).Attribute;
        return live.Verdict is LiveVerdict.Fail fail
            ? new ExecutionErrorTestCase(
                messageSink,
                options.MethodDisplayOrDefault(),
                options.MethodDisplayOptionsOrDefault(),
                testMethod,
                fail.Reason)
            : null;
    }
}
