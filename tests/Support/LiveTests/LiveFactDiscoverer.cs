using Xunit.Abstractions;
using Xunit.Sdk;

namespace ShmCheck.LiveTests;

/// <summary>Finds live tests.</summary>
public sealed class LiveFactDiscoverer(IMessageSink messageSink) : FactDiscoverer(messageSink)
{
    /// <inheritdoc/>
    public override IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions,
        ITestMethod testMethod,
        IAttributeInfo factAttribute) =>
        LiveFailure.Of(
            DiagnosticMessageSink, discoveryOptions, testMethod, factAttribute) is { } failure
            ? [failure]
            : base.Discover(discoveryOptions, testMethod, factAttribute);
}
