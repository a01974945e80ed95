using System.ComponentModel;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace FsCheck.Xunit;

/// <summary>One property: a single test case, however many times its body runs.</summary>
public class PropertyTestCase : XunitTestCase
{
    /// <summary>For de-serializing only.</summary>
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("For de-serializing only.", error: true)]
    public PropertyTestCase()
    {
    }

    /// <summary>A property as it is discovered.</summary>
    public PropertyTestCase(
        IMessageSink diagnosticMessageSink,
        TestMethodDisplay defaultMethodDisplay,
        TestMethodDisplayOptions defaultMethodDisplayOptions,
        ITestMethod testMethod)
        : base(
            diagnosticMessageSink,
            defaultMethodDisplay,
            defaultMethodDisplayOptions,
            testMethod,
            testMethodArguments: null)
    {
    }

    /// <inheritdoc/>
    public override Task<RunSummary> RunAsync(
        IMessageSink diagnosticMessageSink,
        IMessageBus messageBus,
        object[] constructorArguments,
        ExceptionAggregator aggregator,
        CancellationTokenSource cancellationTokenSource) =>
        new PropertyTestCaseRunner(
            this, constructorArguments, messageBus, aggregator, cancellationTokenSource)
            .RunAsync();
}
