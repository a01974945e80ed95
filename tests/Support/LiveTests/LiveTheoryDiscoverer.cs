using Xunit.Abstractions;
using Xunit.Sdk;

namespace ShmCheck.LiveTests;

/// <summary>Finds live theories.</summary>
public sealed class LiveTheoryDiscoverer(IMessageSink messageSink) : TheoryDiscoverer(messageSink)
{
    /// <inheritdoc/>
    public override IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions,
        ITestMethod testMethod,
        IAttributeInfo theoryAttribute) =>
        LiveFailure.Of(
            DiagnosticMessageSink, discoveryOptions, testMethod, theoryAttribute) is { } failure
            ? [failure]
            : base.Discover(discoveryOptions, testMethod, theoryAttribute);
}
