using Xunit.Abstractions;
using Xunit.Sdk;

namespace ShmCheck.LiveTests;

/// <summary>Live tests that have to fail without running.</summary>
internal static class LiveFailure
{
    /// <summary>The test case that does nothing but fail, with the reason.</summary>
    /// <returns>Null when the test may run, or is skipped.</returns>
    public static IXunitTestCase? Of(
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
