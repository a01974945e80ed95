using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace FsCheck.Xunit;

/// <summary>Runs one property, and collects its output even when its class asks for none.
/// </summary>
internal sealed class PropertyTestRunner(
    ITest test,
    IMessageBus messageBus,
    Type testClass,
    object[] constructorArguments,
    MethodInfo testMethod,
    string skipReason,
    ExceptionAggregator aggregator,
    CancellationTokenSource cancellationTokenSource)
    : XunitTestRunner(
        test,
        messageBus,
        testClass,
        constructorArguments,
        testMethod,
        testMethodArguments: [],
        skipReason,
        // FsCheck.Xunit runs none of these: what needs them must fail here too.
        beforeAfterAttributes: [],
        aggregator,
        cancellationTokenSource)
{
    protected override async Task<Tuple<decimal, string>> InvokeTestAsync(
        ExceptionAggregator aggregator)
    {
        TestOutputHelper output = ResolveOutput();
        output.Initialize(MessageBus, Test);
        decimal seconds = await new PropertyTestInvoker(
            Test,
            MessageBus,
            TestClass,
            ConstructorArguments,
            TestMethod,
            output,
            aggregator,
            CancellationTokenSource).RunAsync();
        string text = output.Output;
        output.Uninitialize();
        return Tuple.Create(seconds, text);
    }

    // Since xunit 2.9 a class that asks for its output is given a factory of it.
    private TestOutputHelper ResolveOutput()
    {
        for (int i = 0; i < ConstructorArguments.Length; i++)
        {
            if (ConstructorArguments[i] is Func<TestOutputHelper> make)
            {
                ConstructorArguments[i] = make();
            }
        }

        return ConstructorArguments.OfType<TestOutputHelper>().FirstOrDefault() ?? new();
    }
}
