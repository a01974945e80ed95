using System.Reflection;
using Microsoft.FSharp.Core;
using Xunit;
using Xunit.Abstractions;
using Xunit.Sdk;
using FsRunner = FsCheck.Runner;

namespace FsCheck.Xunit;

/// <summary>Hands the body of a property to FsCheck and tells xunit what came of it.</summary>
internal sealed class PropertyTestInvoker(
    ITest test,
    IMessageBus messageBus,
    Type testClass,
    object[] constructorArguments,
    MethodInfo testMethod,
    TestOutputHelper output,
    ExceptionAggregator aggregator,
    CancellationTokenSource cancellationTokenSource)
    : XunitTestInvoker(
        test,
        messageBus,
        testClass,
        constructorArguments,
        testMethod,
        testMethodArguments: [],
        beforeAfterAttributes: [],
        aggregator,
        cancellationTokenSource)
{
    protected override async Task<decimal> InvokeTestMethodAsync(object testClassInstance)
    {
        await Aggregator.RunAsync(
            () => Timer.AggregateAsync(() => Task.Run(() => Check(testClassInstance))));
        if (Aggregator.HasExceptions && Aggregator.ToException() is not PropertyFailedException)
        {
            output.WriteLine("Exception during test");
        }

        return Timer.Total;
    }

    private void Check(object? instance)
    {
        if (instance is IAsyncLifetime)
        {
            throw new NotSupportedException(
                $"FsCheck.Xunit never calls DisposeAsync: {TestClass} cannot be IAsyncLifetime.");
        }

        ResultRecorder recorder = new();
        Config config = PropertySettings.Of(TestClass, TestMethod).ToConfig(recorder, output);
        FsCheck.Check.Method(
            config,
            TestMethod,
            instance is null ? FSharpOption<object>.None : FSharpOption<object>.Some(instance));
        Report(recorder.Result);
    }

    // A failure is added, not thrown: like FsCheck.Xunit's own it has no stack, which could only
    // tell of this class.
    private void Report(TestResult result)
    {
        switch (result)
        {
            case TestResult.Passed:
                output.WriteLine(FsRunner.onFinishedToString("", result));
                break;
            case TestResult.Failed { Item4: Outcome.Failed outcome } failed:
                string text = FsRunner.onFailureToString(
                    "", failed.Item1, failed.Item2, failed.Item3,
                    failed.Item5, failed.Item6, failed.Item7);
                Aggregator.Add(
                    new PropertyFailedException(Environment.NewLine + text, outcome.Item));
                break;
            default:
                Aggregator.Add(new PropertyFailedException(result));
                break;
        }
    }
}
